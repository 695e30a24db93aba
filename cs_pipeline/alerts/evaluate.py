"""Evaluate the alert rules that are due, each in a transaction of its own.

What a rule finds, the next state of its alerts, the triggers of plays, what people are told and the row of the
evaluation are committed together, so that what is told is what is stored. What becomes of an alert is decided in
`transition`.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import notifications, transition
from cs_pipeline.alerts.evaluation import Evaluation, Health
from cs_pipeline.alerts.freshness import Stale, stale_inputs
from cs_pipeline.alerts.parameters import sync_parameters
from cs_pipeline.alerts.rulebook import Rule, load_rules
from cs_pipeline.alerts.transition import ACCOUNTS, NO_ACCOUNTS, Outcome, Tick
from cs_pipeline.errors import UserError
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox.operations import Notice, notify
from cs_pipeline.plays.triggers.alerts import open_told
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse, without_rows
from cs_pipeline.warehouse.relations import missing_relations

LONGEST = timedelta(minutes=5)
"""How long one statement of a rule may take."""
LOCK_PATIENCE = timedelta(seconds=20)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Before:
    """What the evaluations before say of a rule. `seen_at`, `version`: of the newest that was ok."""

    as_of: datetime | None = None
    health: Health | None = None
    clock: float = 0.0
    seen_at: datetime | None = None
    version: str | None = None
    ends_watch: bool = False


class CannotTell(UserError):
    """A rule gave rows that no alert can be made of."""


def evaluate_due(
    warehouse: Warehouse, settings: Settings, now: datetime, weekly: date | None = None
) -> list[Evaluation]:
    """Evaluate every rule whose newest moment has not been evaluated; returns what came of each.

    `weekly`: the week (its Monday) that has just been scored: the weekly rules are asked as of its end, and no others;
    None: all others. A week that is not the newest tells nobody anything, so nothing is done. A moment that gave
    no_data or an error is asked again until the next. Raises InvalidFile for wrong rules or alerts.yaml.
    """
    return evaluate_rules(warehouse, load_rules(settings.config), settings, now, weekly)


def evaluate_rules(
    warehouse: Warehouse, rules: Mapping[str, Rule], settings: Settings, now: datetime, weekly: date | None = None
) -> list[Evaluation]:
    """As `evaluate_due`, with the rules given: all that there are."""
    evaluations: list[Evaluation] = []
    with closing(warehouse.connect()) as session:
        _prepare(session, rules)
        for rule in in_order(rules):
            as_of = _due(rule, now, weekly)
            if as_of is None:
                continue
            evaluation = evaluate(session, rule, as_of, settings, now)
            if evaluation is not None:
                evaluations.append(evaluation)
    return evaluations


def _prepare(session: Session, rules: Mapping[str, Rule]) -> None:
    """Bring parameters to the tables, and end what rules that are no more were watching."""
    sync_parameters(session, {name: (rule.defaults, rule.parameters) for name, rule in rules.items()})
    session.commit()


def in_order(rules: Mapping[str, Rule]) -> list[Rule]:
    """The rules that are on, each after those that stand before it."""
    order: dict[str, Rule] = {}

    def add(name: str) -> None:
        if name not in order:
            for before in rules[name].alert.inhibited_by:
                add(before)
            order[name] = rules[name]

    for name in rules:
        add(name)
    return [rule for rule in order.values() if rule.is_on]


def _due(rule: Rule, now: datetime, weekly: date | None) -> datetime | None:
    if rule.schedule.is_weekly != (weekly is not None):
        return None
    due = rule.schedule.due(now)
    if weekly is not None and due != datetime.combine(weekly + WEEK, time(), UTC):
        return None
    return due


def evaluate(session: Session, rule: Rule, as_of: datetime, settings: Settings, now: datetime) -> Evaluation | None:
    """Evaluate a rule at a moment, and commit; None where somebody else does, or it was done, or a later one was."""
    started = perf_counter()
    try:
        with session.cursor() as cursor:
            _begin(session, as_of)
            cursor.execute("select pg_try_advisory_xact_lock(hashtext('cs.alerts'), hashtext(%s))", [rule.name])
            if cursor.fetchone() != (True,):
                log.info("%s is being evaluated by somebody else", rule.name)
                return None
            before = before_of(session, rule.name)
            if before.as_of is not None and before.as_of >= as_of and not _is_asked_again(before, as_of):
                if before.as_of > as_of:
                    log.warning("%s was evaluated as of %s, which is after %s", rule.name, before.as_of, as_of)
                return None
            evaluation = _evaluated(session, rule, as_of, before, settings, now)
            write(session, replace(evaluation, seconds=perf_counter() - started), now)
        session.commit()
        return evaluation
    finally:
        session.rollback()


def _is_asked_again(before: Before, as_of: datetime) -> bool:
    return before.as_of == as_of and before.health in ("no_data", "error")


def _begin(session: Session, *moments: datetime) -> None:
    """Set what the transaction needs: the moments that the view is asked about, our tables, how long it may take."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                set_config('cs_pipeline.moments', %s, true),
                set_config('search_path', 'cs, public', true),
                set_config('jit', 'off', true),
                set_config('statement_timeout', %s, true),
                set_config('lock_timeout', %s, true)
            """,
            [
                ",".join(moment.isoformat() for moment in moments),
                f"{int(LONGEST.total_seconds() * 1000)}ms",
                f"{int(LOCK_PATIENCE.total_seconds() * 1000)}ms",
            ],
        )


def before_of(session: Session, rule: str) -> Before:
    """What the evaluations so far say of a rule."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select newest.as_of, newest.health, newest.clock, watched.as_of, watched.version, watched.ends_watch
            from (
                select * from alert_evaluations where rule = %(rule)s order by as_of desc limit 1
            ) as newest
            left join lateral (
                select * from alert_evaluations
                where rule = %(rule)s and health in ('ok', 'held')
                order by as_of desc limit 1
            ) as watched on true
            """,
            {"rule": rule},
        )
        row = cursor.fetchone()
    return Before(*row) if row else Before()


def _evaluated(
    session: Session, rule: Rule, as_of: datetime, before: Before, settings: Settings, now: datetime
) -> Evaluation:
    frozen = Evaluation(rule.name, as_of, before.version or "", "error", before.clock)
    with session.cursor() as cursor:
        cursor.execute("savepoint rule")
        try:
            return _watched(session, rule, as_of, before, settings, now)
        except _NoData as error:
            cursor.execute("rollback to savepoint rule")
            frozen = replace(frozen, health="no_data", error=str(error))
        except (psycopg2.Error, UserError) as error:
            if session.closed:
                raise
            cursor.execute("rollback to savepoint rule")
            frozen = replace(frozen, error=_words(error))
    _tell_operations(session, rule, frozen, settings, now)
    return frozen


class _NoData(Exception):
    def __init__(self, stale: Iterable[Stale]) -> None:
        super().__init__("; ".join(each.words for each in stale))


def _watched(
    session: Session, rule: Rule, as_of: datetime, before: Before, settings: Settings, now: datetime
) -> Evaluation:
    version = version_of(session, rule)
    if stale := stale_inputs(session, rule.alert.needs_fresh, as_of):
        raise _NoData(stale)
    transition.create_workspace(session)
    accounts = NO_ACCOUNTS if missing_relations(session, ACCOUNTS) else ACCOUNTS
    found = find(session, rule, accounts)
    tick = tick_after(before, rule, as_of, version, now, accounts, _book(session, accounts, as_of))
    outcome = transition.advance(session, tick, AsOf(settings, as_of, sees_ahead=False))
    evaluation = as_evaluation(tick, found, outcome)
    open_told(session, evaluation.told.new, now)
    notifications.tell(session, rule, evaluation, settings, now)
    _tell_operations(session, rule, evaluation, settings, now, outcome)
    return evaluation


def tick_after(
    before: Before, rule: Rule, as_of: datetime, version: str, now: datetime, accounts: str, book: int
) -> Tick:
    """The tick of a rule at a moment, after those before it."""
    is_first = before.version is None or before.ends_watch
    return Tick(
        rule=rule,
        as_of=as_of,
        now=now,
        version=version,
        clock=before.clock + (0.0 if before.as_of is None else (as_of - before.as_of).total_seconds()),
        seen_before=before.seen_at,
        is_changed=before.version is not None and before.version != version,
        is_baseline=is_first or before.version != version,
        accounts=accounts,
        book=book,
    )


def find(session: Session, rule: Rule, accounts: str) -> int:
    """Fill alert_rows with what the view finds at the moments asked; returns how many rows.

    Raises CannotTell where a row has no entity, an account is missing, or a key comes twice.
    """
    with session.cursor() as cursor:
        cursor.execute(read_sql(__file__, "found", relation=rule.relation, accounts=accounts))
        found = cursor.rowcount
        cursor.execute("analyze alert_rows")
        cursor.execute(
            """
            select account_id, entity, count(*) from alert_rows
            group by as_of, account_id, entity having count(*) > 1 order by 1, 2 limit 1
            """
        )
        if row := cursor.fetchone():
            raise CannotTell(f"it returned {row[2]} rows for account '{row[0]}' and entity '{row[1]}'; one is expected")
    return found


def _book(session: Session, accounts: str, as_of: datetime) -> int:
    if accounts == NO_ACCOUNTS:
        return 0
    with session.cursor() as cursor:
        cursor.execute(
            f"select count(*)::integer from {accounts} where created_at <= %(as_of)s "
            "and coalesce(churned_at > %(as_of)s, true)",
            {"as_of": as_of},
        )
        (book,) = cursor.fetchone() or (0,)
        return book


def version_of(session: Session, rule: Rule) -> str:
    """What decides what the rule finds, as a short hash: its view, its parameters, and how its alerts begin and end."""
    if missing_relations(session, rule.relation):
        raise UserError(f"the view {rule.relation} is not built; run the weekly job, or `dbt run -s {rule.name}`")
    with session.cursor() as cursor:
        cursor.execute("select pg_get_viewdef(%s::regclass)", [rule.relation])
        (definition,) = cursor.fetchone() or ("",)
    alert = rule.alert
    decides = [
        definition,
        {tier: dict(values) for tier, values in rule.parameters.items()},
        alert.nature,
        alert.mode,
        alert.hold_for.total_seconds(),
        alert.resolve_after,
    ]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def as_evaluation(tick: Tick, found: int, outcome: Outcome) -> Evaluation:
    """The evaluation that a tick came to."""
    return Evaluation(
        rule=tick.rule.name,
        as_of=tick.as_of,
        version=tick.version,
        health="held" if outcome.held else "ok",
        clock=tick.clock,
        found=found,
        fired=outcome.fired,
        resolved=outcome.resolved,
        closed=outcome.closed,
        inhibited=outcome.inhibited,
        out_of_audience=outcome.out_of_audience,
        held=outcome.held,
        is_baseline=tick.is_baseline,
        told=outcome.told,
    )


def write(session: Session, evaluation: Evaluation, now: datetime) -> None:
    """Write the evaluation, in place of one of the same moment."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            insert into alert_evaluations ({", ".join(_COLUMNS)}, evaluated_at)
            values ({", ".join(f"%({name})s" for name in _COLUMNS)}, %(evaluated_at)s)
            on conflict (rule, as_of) do update set
                {", ".join(f"{name} = excluded.{name}" for name in [*_COLUMNS, "evaluated_at"])}
            """,
            {**{name: getattr(evaluation, name) for name in _COLUMNS}, "evaluated_at": now},
        )


_COLUMNS = (
    "rule", "as_of", "version", "health", "clock", "found", "fired", "resolved", "closed", "inhibited",
    "out_of_audience", "held", "seconds", "error", "is_baseline",
)  # fmt: skip


def _tell_operations(
    session: Session,
    rule: Rule,
    evaluation: Evaluation,
    settings: Settings,
    now: datetime,
    outcome: Outcome | None = None,
) -> None:
    name, day = rule.name, f"{now:%Y-%m-%d}"
    if evaluation.health in ("no_data", "error"):
        what = "has no data to go by" if evaluation.health == "no_data" else "cannot be evaluated"
        notice = Notice(
            f"alert/{name}/{evaluation.health}/{day}",
            f"Alert rule {name} {what}",
            f"As of {evaluation.as_of:%Y-%m-%d %H:%M} UTC: {evaluation.error}. "
            "Its alerts stay as they are, and nobody is told anything new, until it can be.",
        )
    elif outcome is not None and outcome.is_newly_held:
        notice = Notice(
            f"alert/{name}/held/{evaluation.as_of.isoformat()}",
            f"Alert rule {name} would fire for {outcome.held:,} at once, so nobody was told",
            f"If that is right, `cs-pipeline alert release {name}`; if not, `cs-pipeline alert dismiss {name}`.",
        )
    elif evaluation.is_baseline and rule.alert.first_run == "quiet":
        notice = Notice(
            f"alert/{name}/baseline/{evaluation.version}/{evaluation.as_of.isoformat()}",
            f"Alert rule {name} is watched from now on: {evaluation.found:,} found",
            "What holds already is told to nobody; what is new from now on is.",
        )
    else:
        return
    notify(session, notice, settings, now)


def _words(error: Exception) -> str:
    return " ".join(without_rows(error).split()).rstrip(".")
