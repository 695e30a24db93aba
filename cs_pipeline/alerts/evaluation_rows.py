"""Read and write the rows of cs.alert_evaluations: what the evaluations so far say of a rule, and the next one.

Tables are named without a schema, as in `transition`.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluation import Evaluation, Health


@dataclass(frozen=True)
class Before:
    """What the evaluations before say of a rule.

    `newest`: of any health. `previous`: the newest before the moment asked about, and its clock. `seen`: the newest of
    these at which the rule could be asked, with the version it had; `ends_watch`: it was the last before the rule was
    removed.
    """

    newest: datetime | None = None
    newest_health: Health | None = None
    previous: datetime | None = None
    clock: float = 0.0
    seen: datetime | None = None
    version: str | None = None
    ends_watch: bool = False


def before_of(session: Session, rule: str, as_of: datetime) -> Before:
    """What the evaluations so far say of a rule, to one that asks about a moment."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                newest.as_of, newest.health,
                previous.as_of, coalesce(previous.clock, 0),
                seen.as_of, seen.version, coalesce(seen.ends_watch, false)
            from (
                select * from alert_evaluations where rule = %(rule)s order by as_of desc limit 1
            ) as newest
            left join lateral (
                select * from alert_evaluations
                where rule = %(rule)s and as_of < %(as_of)s
                order by as_of desc limit 1
            ) as previous on true
            left join lateral (
                select * from alert_evaluations
                where rule = %(rule)s and as_of < %(as_of)s and health in ('ok', 'held')
                order by as_of desc limit 1
            ) as seen on true
            """,
            {"rule": rule, "as_of": as_of},
        )
        row = cursor.fetchone()
    return Before(*row) if row else Before()


_COLUMNS = (
    "rule", "as_of", "version", "health", "clock", "found", "fired", "resolved", "closed", "inhibited",
    "out_of_audience", "held", "seconds", "error", "is_absent", "is_baseline",
)  # fmt: skip


def write(session: Session, evaluation: Evaluation, now: datetime) -> None:
    """Write the row of the evaluation, in place of one of the same moment at which the rule could not be asked."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            insert into alert_evaluations ({", ".join(_COLUMNS)}, evaluated_at)
            values ({", ".join(f"%({name})s" for name in _COLUMNS)}, %(evaluated_at)s)
            on conflict (rule, as_of) do update set
                {", ".join(f"{name} = excluded.{name}" for name in [*_COLUMNS, "evaluated_at"])},
                reported_at = case when not excluded.is_baseline then alert_evaluations.reported_at end
            """,
            {**{name: getattr(evaluation, name) for name in _COLUMNS}, "evaluated_at": now},
        )
