"""Make scorecards of what alert rules did live, and keep them by month. What a scorecard says is in `scorecard`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, time
from typing import Any

from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.alerts.fired import read_fired
from cs_pipeline.alerts.judged_firings import Watched
from cs_pipeline.alerts.outcomes import Book, read_book
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.scorecard import Scorecard, scorecards
from cs_pipeline.backtest.measures import Interval
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.rows import read_rows

_WATCHED = """
with newest as (
    select distinct on (rule)
        rule,
        version
    from cs.alert_evaluations
    where health in ('ok', 'held')
    order by rule, as_of desc
)

select
    evaluations.rule,
    evaluations.version,
    min(evaluations.as_of) as first,
    max(evaluations.as_of) as last
from cs.alert_evaluations as evaluations
inner join newest on evaluations.rule = newest.rule and evaluations.version = newest.version
where evaluations.health in ('ok', 'held')
group by evaluations.rule, evaluations.version
order by evaluations.rule
"""
_SPREAD = {
    "precision": ("precision_share", "precision_low", "precision_high"),
    "lift": ("lift", "lift_low", "lift_high"),
}
_SPREAD |= {"recall": ("recall", "recall_low", "recall_high")}
_RENAMED = {"first": "watched_from", "last": "watched_to"}


def live_scorecards(warehouse: Warehouse, rules: Mapping[str, Rule]) -> list[Scorecard]:
    """A scorecard for each of `rules` that was evaluated, in its present version, by name.

    A version is watched from its first evaluation with data to its last. Raises UserError without marts.
    """
    return scorecards_of_book(warehouse, rules, read_book(warehouse))


def scorecards_of_book(warehouse: Warehouse, rules: Mapping[str, Rule], book: Book) -> list[Scorecard]:
    """The same, held against a book that was read before."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("set local search_path to cs")
        cursor.execute(_WATCHED)
        watched = [row for row in cursor.fetchall() if row[0] in rules]
        if not watched:
            return []
        first, last = min(row[2] for row in watched), max(row[3] for row in watched)
        known_until = datetime.combine(book.known_until, time(), UTC)
        fired = read_fired(session, first, last, known_until, is_told=True)
    present = dict(zip((row[0] for row in watched), (row[1] for row in watched), strict=True))
    of_present = fired["version"].to_numpy(object) == fired["rule"].map(present).to_numpy(object)
    sights = [
        Watched(rule, version, first.date(), last.date(), rules[rule].alert.outcome)
        for rule, version, first, last in watched
    ]
    return scorecards(fired[of_present], sights, book)


def keep_scorecards(warehouse: Warehouse, cards: Sequence[Scorecard], now: datetime) -> int:
    """Write the scorecards into cs.alert_scorecards as those of the month of `now`; returns how many.

    Those of the same month, rule and version are replaced.
    """
    if not cards:
        return 0
    month = now.astimezone(UTC).date().replace(day=1)
    rows = [{"month": month, "made_at": now, **_columns(card)} for card in cards]
    names = list(rows[0])
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names)
    with warehouse.session() as session, session.cursor() as cursor:
        execute_values(
            cursor,
            f"insert into cs.alert_scorecards ({', '.join(names)}) values %s "
            f"on conflict (month, rule, version) do update set {replaced}",
            [[row[name] for name in names] for row in rows],
        )
    return len(rows)


def kept_scorecards(session: Session) -> list[Scorecard]:
    """The scorecard of each rule that was kept last, by name."""
    newest = "select distinct on (rule) * from cs.alert_scorecards order by rule, month desc, watched_to desc"
    return [_card(row) for row in read_rows(session, newest, {})]


def _card(row: Mapping[str, Any]) -> Scorecard:
    values: dict[str, Any] = {}
    for field in fields(Scorecard):
        if field.name in _SPREAD:
            parts = [row[name] for name in _SPREAD[field.name]]
            values[field.name] = None if parts[0] is None else Interval(*parts)
        else:
            values[field.name] = row[_RENAMED.get(field.name, field.name)]
    return Scorecard(**values)


def _columns(card: Scorecard) -> dict[str, object]:
    columns: dict[str, object] = {}
    for field in fields(card):
        value = getattr(card, field.name)
        if field.name in _SPREAD:
            parts = asdict(value) if isinstance(value, Interval) else {}
            names = zip(_SPREAD[field.name], ("value", "low", "high"), strict=True)
            columns |= {name: parts.get(part) for name, part in names}
        else:
            columns[_RENAMED.get(field.name, field.name)] = value
    return columns
