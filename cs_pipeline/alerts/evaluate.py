"""Evaluate the alert rules that are due, each in a transaction of its own.

What a rule finds, the next state of its alerts, the triggers of plays, what people are told and the row of the
evaluation are committed together, so that what is told is what is stored. What becomes of an alert is decided in
`transition`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from time import perf_counter

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import notifications, retention, transition
from cs_pipeline.alerts.audience import ACCOUNTS, NO_ACCOUNTS
from cs_pipeline.alerts.due import due
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.evaluation_rows import Before, before_of, write
from cs_pipeline.alerts.findings import find, version_of
from cs_pipeline.alerts.freshness import Stale, stale_inputs
from cs_pipeline.alerts.locks import is_free
from cs_pipeline.alerts.operations_report import ask_about_held, say_clock_was_set_back, tell_operations
from cs_pipeline.alerts.removal import end_watch
from cs_pipeline.alerts.rule_transaction import begin, in_words, look_back
from cs_pipeline.alerts.rulebook import Rule, load_rules
from cs_pipeline.alerts.stored_parameters import sync_parameters
from cs_pipeline.alerts.support_hours import sync_support_hours
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.alerts.transition import Outcome, Tick
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers.alerts import open_alerts
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations

log = logging.getLogger(__name__)


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
    """As `evaluate_due`, with the rules given: all that there are. A rule that fails leaves the others alone."""
    evaluations: list[Evaluation] = []
    defects: list[Exception] = []
    session = warehouse.connect()
    try:
        sync_parameters(session, {name: (rule.defaults, rule.parameters) for name, rule in rules.items()})
        sync_support_hours(session, load_directory(settings.config).support_hours, now)
        end_watch(session, [rule.name for rule in rules.values() if rule.is_on], now)
        session.commit()
        for rule, as_of in due(rules, now, weekly):
            try:
                evaluation = evaluate(session, rule, as_of, settings, now)
            except Exception as error:
                if not (session.closed and isinstance(error, psycopg2.Error)):
                    log.exception("%s is not evaluated", rule.name)
                    defects.append(error)
                    continue
                session = warehouse.connect()
                evaluation = _connection_lost(session, rule, as_of, error, now)
            evaluations += [evaluation] if evaluation is not None else []
        tell_operations(session, settings, now)
        retention.forget(session, now)
        session.commit()
    finally:
        session.close()
    if defects:
        raise defects[0]
    return evaluations


def evaluate(session: Session, rule: Rule, as_of: datetime, settings: Settings, now: datetime) -> Evaluation | None:
    """Evaluate a rule at a moment, and commit; None where somebody else does, or it was done, or a later one was."""
    started = perf_counter()
    try:
        begin(session, as_of)
        if not is_free(session, rule.name):
            log.info("%s is being evaluated by somebody else", rule.name)
            return None
        before = before_of(session, rule.name, as_of)
        if before.newest is not None and before.newest > now:
            say_clock_was_set_back(session, before.newest, settings, now)
        elif before.newest is None or before.newest < as_of or _is_asked_again(before, as_of):
            evaluation = _evaluated(session, rule, as_of, before, settings, now)
            seconds = perf_counter() - started
            evaluation = replace(evaluation, seconds=seconds, health_before=before.newest_health)
            write(session, evaluation, now)
            session.commit()
            return evaluation
        session.commit()
        return None
    finally:
        if not session.closed:
            session.rollback()


def _is_asked_again(before: Before, as_of: datetime) -> bool:
    return before.newest == as_of and before.newest_health in ("no_data", "error")


def _evaluated(
    session: Session, rule: Rule, as_of: datetime, before: Before, settings: Settings, now: datetime
) -> Evaluation:
    """What the rule came to; where it cannot be asked, its alerts stay as they are."""
    frozen = Evaluation(rule.name, as_of, before.version or "", "error", before.clock)
    with session.cursor() as cursor:
        cursor.execute("savepoint rule")
        try:
            if stale := stale_inputs(session, rule.alert.needs_fresh, as_of):
                return without_data(frozen, stale)
            return _watched(session, rule, as_of, before, settings, now)
        except (psycopg2.Error, UserError) as error:
            if session.closed:
                raise
            cursor.execute("rollback to savepoint rule")
            return replace(frozen, error=in_words(error))


def _watched(
    session: Session, rule: Rule, as_of: datetime, before: Before, settings: Settings, now: datetime
) -> Evaluation:
    version = version_of(session, rule)
    transition.create_workspace(session)
    accounts = NO_ACCOUNTS if rule.alert.covers_churned or missing_relations(session, ACCOUNTS) else ACCOUNTS
    look_back(session, rule.schedule.days_missed(before.seen, as_of))
    found = find(session, rule, accounts)
    tick = tick_after(before, rule, as_of, version, now, accounts)
    outcome = transition.advance(session, tick, AsOf(settings, as_of, sees_ahead=False))
    evaluation = as_evaluation(tick, found, outcome)
    open_alerts(session, evaluation.told.new, now)
    notifications.tell(session, rule, evaluation, settings, now)
    if outcome.is_newly_held:
        ask_about_held(session, evaluation, outcome.held_accounts, settings, now)
    return evaluation


def without_data(frozen: Evaluation, stale: Sequence[Stale]) -> Evaluation:
    """The evaluation of a rule whose inputs are not fresh: what it said before stands."""
    return replace(
        frozen,
        health="no_data",
        error="; ".join(each.words for each in stale),
        is_absent=all(each.is_absent for each in stale),
    )


def tick_after(
    before: Before, rule: Rule, as_of: datetime, version: str, now: datetime, accounts: str, book: int | None = None
) -> Tick:
    """The tick of a rule at a moment, after those before it."""
    return Tick(
        rule=rule,
        as_of=as_of,
        now=now,
        version=version,
        clock=before.clock + (0.0 if before.previous is None else (as_of - before.previous).total_seconds()),
        seen_before=before.seen,
        is_changed=before.version is not None and before.version != version,
        is_baseline=before.version != version or before.ends_watch,
        accounts=accounts,
        book=book,
    )


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
        is_baseline=tick.is_baseline and tick.rule.alert.first_run == "quiet",
        told=outcome.told,
    )


def _connection_lost(
    session: Session, rule: Rule, as_of: datetime, error: psycopg2.Error, now: datetime
) -> Evaluation | None:
    """Write that the rule could not be asked, where nobody has done so since."""
    begin(session, as_of)
    before = before_of(session, rule.name, as_of)
    frozen = Evaluation(rule.name, as_of, before.version or "", "error", before.clock, error=in_words(error))
    frozen = replace(frozen, health_before=before.newest_health)
    is_free_and_not_done = is_free(session, rule.name) and (before.newest is None or before.newest < as_of)
    if is_free_and_not_done:
        write(session, frozen, now)
    session.commit()
    return frozen if is_free_and_not_done else None
