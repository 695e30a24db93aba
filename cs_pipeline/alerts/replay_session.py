"""Replay rules in a session of temporary tables, which stand before those of `cs` and are gone with it.

The view of a rule is asked about many moments at once; then the statements of `transition` go from moment to moment,
the same as live. The transactions are read-only, so the server itself refuses whatever would write into a table of
ours. Inputs too old at a moment are no_data then, as they would have been.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import transition
from cs_pipeline.alerts.evaluate import as_evaluation, begin, in_order, in_words, tick_after
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.evaluation_rows import before_of
from cs_pipeline.alerts.evaluation_rows import write as write_evaluation
from cs_pipeline.alerts.findings import find, version_of
from cs_pipeline.alerts.freshness import stale_inputs
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.transition import ACCOUNTS, NO_ACCOUNTS
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations

FIRST_MOMENTS, MOST_MOMENTS = 60, 400
"""Moments that a view is asked about at once: a year of weeks; then what ROWS_AT_ONCE allows, up to a year of days."""
ROWS_AT_ONCE = 2_000_000
AS_LONG_AS_IT_NEEDS = timedelta(0)
LEFT = "left_accounts"
Progress = Callable[[int, int], None]
"""Told how many moments are done, and of how many."""

_SHADOWS = ("alerts", "alert_changes", "alert_evaluations", "alert_silences")
_ROWS_BY_RULE = """
alter table alert_rows rename to replayed_rows;
alter table replayed_rows add column asked text not null default current_setting('cs_pipeline.replayed_rows', true);
create index on replayed_rows (asked, as_of);
create temporary view alert_rows as
select as_of, account_id, entity, measured, held_against, facts
from replayed_rows
where asked = current_setting('cs_pipeline.replayed_rows', true)
"""


@contextmanager
def replaying(
    warehouse: Warehouse,
    settings: Settings,
    rules: Mapping[str, Rule],
    first: datetime,
    last: datetime,
    on_progress: Progress = lambda _done, _total: None,
) -> Iterator[Session]:
    """A session whose alerts, alert_changes and alert_evaluations are what `rules` came to from `first` to `last`.

    Raises UserError where the schedule of no rule has a moment in between.
    """
    moments = {name: rule.schedule.between(first, last) for name, rule in rules.items()}
    total = sum(map(len, moments.values()))
    if not total:
        raise UserError(f"No rule is asked between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC")
    with closing(warehouse.connect()) as session:
        book = _make_tables(session)
        session.set_session(readonly=True)
        done = 0
        for group in _groups(in_order(rules)):
            waiting = sorted({moment for rule in group for moment in moments[rule.name]})
            size = FIRST_MOMENTS
            while waiting:
                some, waiting = waiting[:size], waiting[size:]
                of_rules = {
                    rule.name: [each for each in moments[rule.name] if some[0] <= each <= some[-1]] for rule in group
                }
                found = _replay(session, settings, group, of_rules, book)
                size = max(1, min(MOST_MOMENTS, ROWS_AT_ONCE * len(some) // max(found, 1)))
                done += sum(map(len, of_rules.values()))
                on_progress(done, total)
        yield session


class _Book:
    """How many accounts there were at a moment. `accounts`: relation with those that left, and when."""

    def __init__(self, rows: Sequence[tuple[datetime, datetime | None]], accounts: str) -> None:
        self.accounts = accounts
        created = np.array([row[0].timestamp() for row in rows], float)
        left = np.array([np.inf if row[1] is None else row[1].timestamp() for row in rows], float)
        self._created, self._left = np.sort(created), np.sort(np.maximum(created, left))

    def size(self, moment: datetime) -> int:
        """Accounts that had signed up by then, and had not left."""
        then = moment.timestamp()
        return int(np.searchsorted(self._created, then, "right") - np.searchsorted(self._left, then, "right"))


def _make_tables(session: Session) -> _Book:
    """Make the temporary tables, and read how the book grew."""
    with session.cursor() as cursor:
        for name in _SHADOWS:
            cursor.execute(f"create temporary table {name} (like cs.{name} including all)")
        transition.create_workspace(session)
        cursor.execute(_ROWS_BY_RULE)
        if missing_relations(session, ACCOUNTS):
            book = _Book((), NO_ACCOUNTS)
        else:
            cursor.execute(
                f"""
                create temporary table {LEFT} as
                select account_id, churned_at from {ACCOUNTS} where churned_at is not null;
                create index on {LEFT} (account_id);
                analyze {LEFT};
                select created_at, churned_at from {ACCOUNTS} where created_at is not null
                """
            )
            book = _Book(cursor.fetchall(), LEFT)
    session.commit()
    return book


def _groups(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Rules that have to go from moment to moment together, because one stands before another; most are alone."""
    group_of: dict[str, list[Rule]] = {}
    for rule in rules:
        group = [rule]
        for before in rule.alert.inhibited_by:
            if (other := group_of[before]) is not group:
                group[:0] = other
                group_of |= {member.name: group for member in other}
        group_of[rule.name] = group
    order = {rule.name: position for position, rule in enumerate(rules)}
    seen: set[int] = set()
    for group in group_of.values():
        if id(group) not in seen:
            seen.add(id(group))
            yield sorted(group, key=lambda rule: order[rule.name])


def _replay(
    session: Session, settings: Settings, rules: Sequence[Rule], moments: Mapping[str, Sequence[datetime]], book: _Book
) -> int:
    """Bring the alerts of the rules from moment to moment, and commit; returns how many rows the views gave.

    What fails is done again with a savepoint before each step, so that one is lost and no more. Not at first: a
    transaction with many of them slows down everybody else's.
    """
    try:
        return _bring_forward(session, settings, rules, moments, book, has_savepoints=False)
    except (psycopg2.Error, UserError):
        if session.closed:
            raise
        session.rollback()
        return _bring_forward(session, settings, rules, moments, book, has_savepoints=True)


def _bring_forward(
    session: Session,
    settings: Settings,
    rules: Sequence[Rule],
    moments: Mapping[str, Sequence[datetime]],
    book: _Book,
    *,
    has_savepoints: bool,
) -> int:
    asked = [_Asked(session, rule, moments[rule.name], book) for rule in rules]
    steps = sorted((moment, position) for position, rule in enumerate(rules) for moment in moments[rule.name])
    for number, (moment, position) in enumerate(steps):
        evaluation = _step(session, settings, asked[position], moment, book, has_savepoints=has_savepoints)
        write_evaluation(session, evaluation, moment)
        if number & (number + 1) == 0:  # after 1, 2, 4, 8, … of them: the tables have grown since
            with session.cursor() as cursor:
                cursor.execute("analyze alerts; analyze alert_changes")
    session.commit()
    return sum(sum(each.found.values()) for each in asked)


class _Asked:
    """What a rule found at its moments, in alert_rows; at some of them it has no data or could not be asked.

    `accounts`: relation with those that left, NO_ACCOUNTS where leaving ends nothing.
    """

    def __init__(self, session: Session, rule: Rule, moments: Sequence[datetime], book: _Book) -> None:
        self.rule = rule
        self.accounts = NO_ACCOUNTS if rule.alert.covers_churned else book.accounts
        self.version = ""
        self.is_asked_at_once = True
        self.without_data: dict[datetime, str] = {}
        self.errors: dict[datetime, str] = {}
        self.found: dict[datetime, int] = {}
        self._ask(session, moments)

    def _ask(self, session: Session, moments: Sequence[datetime]) -> None:
        _set_rule(session, self.rule, self.rule.name)
        begin(session, *moments, longest=AS_LONG_AS_IT_NEEDS)
        for moment in moments:
            if stale := stale_inputs(session, self.rule.alert.needs_fresh, moment):
                self.without_data[moment] = "; ".join(each.words for each in stale)
        fresh = [moment for moment in moments if moment not in self.without_data]
        try:
            self.version = version_of(session, self.rule)
        except UserError as error:
            self.errors = dict.fromkeys(fresh, in_words(error))
            return
        if isinstance(self._find(session, fresh), int):
            with session.cursor() as cursor:
                cursor.execute("select as_of, count(*)::integer from alert_rows group by as_of")
                self.found = dict(cursor.fetchall())
        else:
            self._ask_one_by_one(session, fresh)
        with session.cursor() as cursor:
            cursor.execute("analyze replayed_rows")

    def _ask_one_by_one(self, session: Session, moments: Sequence[datetime]) -> None:
        """So that a moment at which the view fails costs no other."""
        self.is_asked_at_once = False
        for moment in moments:
            self.choose(session, moment)
            answer = self._find(session, [moment])
            if isinstance(answer, int):
                self.found[moment] = answer
            else:
                self.errors[moment] = answer

    def choose(self, session: Session, moment: datetime) -> None:
        """Let alert_rows be what was found when the moment was asked about."""
        _set_rule(session, self.rule, self.rule.name if self.is_asked_at_once else f"{self.rule.name} {moment}")

    def _find(self, session: Session, moments: Sequence[datetime]) -> int | str:
        """Ask the view about the moments; returns how many rows it gave, or what was wrong, and leaves none then."""
        if not moments:
            return 0
        with session.cursor() as cursor:
            cursor.execute("savepoint asked")
            begin(session, *moments, longest=AS_LONG_AS_IT_NEEDS)
            try:
                found = find(session, self.rule, self.accounts)
            except (psycopg2.Error, UserError) as error:
                if session.closed:
                    raise
                cursor.execute("rollback to savepoint asked")
                return in_words(error)
            cursor.execute("release savepoint asked")
        return found


def _step(
    session: Session, settings: Settings, asked: _Asked, moment: datetime, book: _Book, *, has_savepoints: bool
) -> Evaluation:
    """One evaluation, as `evaluate` makes it live, but that nobody is told."""
    rule = asked.rule
    asked.choose(session, moment)
    before = before_of(session, rule.name, moment)
    frozen = Evaluation(rule.name, moment, before.version or "", "error", before.clock)
    if moment in asked.without_data:
        return replace(frozen, health="no_data", error=asked.without_data[moment])
    if moment in asked.errors:
        return replace(frozen, error=asked.errors[moment])
    tick = tick_after(before, rule, moment, asked.version, moment, asked.accounts, book.size(moment))
    with session.cursor() as cursor:
        if has_savepoints:
            cursor.execute("savepoint step")
        try:
            outcome = transition.advance(session, tick, AsOf(settings, moment, sees_ahead=False))
        except (psycopg2.Error, UserError) as error:
            if session.closed or not has_savepoints:
                raise
            cursor.execute("rollback to savepoint step")
            return replace(frozen, error=in_words(error))
        return as_evaluation(tick, asked.found.get(moment, 0), outcome)


def _set_rule(session: Session, rule: Rule, rows: str) -> None:
    """Say which rows alert_rows has now, and with which parameters the view of the rule is asked."""
    parameters = {rule.name: {tier: dict(values) for tier, values in rule.parameters.items()}}
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                set_config('cs_pipeline.replayed_rows', %s, true),
                set_config('cs_pipeline.alert_parameters', %s, true)
            """,
            [rows, json.dumps(parameters)],
        )
