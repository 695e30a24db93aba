"""Replay rules in a session that only reads: ask their views about many moments, and go from moment to moment.

The transactions are read-only, so the server itself refuses whatever would write into a table of ours.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from psycopg2 import Error as DatabaseError
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import transition
from cs_pipeline.alerts.archived_events import require_events
from cs_pipeline.alerts.audience import ACCOUNTS, AT_A_TIME, NO_ACCOUNTS, out_of
from cs_pipeline.alerts.due import in_order
from cs_pipeline.alerts.evaluate import as_evaluation, tick_after, without_data
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.evaluation_rows import Before
from cs_pipeline.alerts.freshness import Freshness
from cs_pipeline.alerts.replay_arrays import ALWAYS, NONE, Bools, Ints
from cs_pipeline.alerts.replay_book import ReplayBook, read_replay_book
from cs_pipeline.alerts.replay_findings import Findings, Keys, ask
from cs_pipeline.alerts.replay_states import KeepsAudience, States
from cs_pipeline.alerts.rule_transaction import in_words
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations

FIRST_MOMENTS, MOST_MOMENTS = 60, 400
"""Moments that a view is asked about at once: a year of weeks; then what ROWS_AT_ONCE allows, up to a year of days."""
ROWS_AT_ONCE = 2_000_000
Progress = Callable[[int, int], None]
"""Told how many moments are done, and of how many."""


@dataclass
class ReplayedRule:
    """What a rule came to: its states, the keys they are about, its evaluations, and its versions by their code.

    `together`: names of the rules that may stand before others of them, by their code.
    """

    rule: Rule
    states: States
    together: Sequence[str]
    keys: Keys = field(default_factory=Keys)
    evaluations: list[Evaluation] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    before: Before = field(default_factory=Before)

    def add(self, evaluation: Evaluation) -> None:
        """Add the evaluation of the next moment, and keep what the one after it asks for."""
        self.evaluations.append(evaluation)
        as_of, health = evaluation.as_of, evaluation.health
        self.before = replace(self.before, newest=as_of, newest_health=health, previous=as_of, clock=evaluation.clock)
        if health in ("ok", "held"):
            self.before = replace(self.before, seen=as_of, version=evaluation.version)

    def code_of(self, version: str) -> int:
        """The code of a version."""
        if version not in self.versions:
            self.versions.append(version)
        return self.versions.index(version)


@contextmanager
def reading(warehouse: Warehouse) -> Iterator[Session]:
    """A session whose transactions are read-only, with what `findings` needs."""
    with closing(warehouse.connect()) as session:
        transition.create_workspace(session)
        session.commit()
        session.set_session(readonly=True)
        yield session


def replay_rules(
    warehouse: Warehouse,
    settings: Settings,
    rules: Mapping[str, Rule],
    first: datetime,
    last: datetime,
    on_progress: Progress = lambda _done, _total: None,
) -> tuple[list[ReplayedRule], ReplayBook]:
    """What `rules` came to from `first` to `last`, and the accounts that they speak of.

    Raises UserError where the schedule of no rule has a moment in between, or events that it reads are archived.
    """
    moments = {name: rule.schedule.between(first, last) for name, rule in rules.items()}
    total = sum(map(len, moments.values()))
    if not total:
        raise UserError(f"No rule is asked between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC")
    replayed: list[ReplayedRule] = []
    with reading(warehouse) as session:
        require_events(session, list(rules.values()), first, last)
        book, freshness = read_replay_book(session), Freshness()
        done = 0
        for rules_together in groups(in_order(rules)):
            group = _Group(session, settings, rules_together, book, freshness)
            replayed += group.rules
            waiting = sorted({moment for rule in rules_together for moment in moments[rule.name]})
            size = FIRST_MOMENTS
            while waiting:
                some, waiting = waiting[:size], waiting[size:]
                of_rules = [
                    [each for each in moments[rule.name] if some[0] <= each <= some[-1]] for rule in rules_together
                ]
                found = group.go_on(of_rules)
                session.commit()
                size = max(1, min(MOST_MOMENTS, ROWS_AT_ONCE * len(some) // max(found, 1)))
                done += sum(map(len, of_rules))
                on_progress(done, total)
    return replayed, book


def groups(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
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


class _Group:
    """Rules that go from moment to moment together."""

    def __init__(
        self, session: Session, settings: Settings, rules: Sequence[Rule], book: ReplayBook, freshness: Freshness
    ) -> None:
        together = [rule.name for rule in rules]
        self.rules = [ReplayedRule(rule, States(rule.alert), together) for rule in rules]
        self._session, self._settings, self._book, self._freshness = session, settings, book, freshness
        self._accounts = NO_ACCOUNTS if missing_relations(session, ACCOUNTS) else ACCOUNTS
        with session.cursor() as cursor:
            cursor.execute(
                "select array(select name from unnest(%s::text[]) as names (name) order by name)",
                [together],
            )
            (self._by_name,) = cursor.fetchone() or ([],)

    def go_on(self, moments: Sequence[Sequence[datetime]]) -> int:
        """Bring the alerts of each rule through these moments of it; returns how many rows the views gave."""
        findings = [
            ask(self._session, each.rule, asked, each.keys, self._book, self._accounts, self._freshness)
            for each, asked in zip(self.rules, moments, strict=True)
        ]
        steps = sorted((moment, position) for position, asked in enumerate(moments) for moment in asked)
        for moment, position in steps:
            replayed = self.rules[position]
            replayed.add(self._step(replayed, findings[position], moment))
        return sum(each.rows for each in findings)

    def _step(self, replayed: ReplayedRule, findings: Findings, moment: datetime) -> Evaluation:
        """One evaluation, as `evaluate` makes it live, but that nobody is told."""
        rule, before = replayed.rule, replayed.before
        frozen = Evaluation(rule.name, moment, before.version or "", "error", before.clock)
        if moment in findings.without_data:
            return without_data(frozen, findings.without_data[moment])
        if moment in findings.errors:
            return replace(frozen, error=findings.errors[moment])
        found, accounts = findings.found[moment], self._accounts
        tick = tick_after(before, rule, moment, findings.version, moment, accounts, self._book.size(moment))
        try:
            outcome = replayed.states.advance(
                tick,
                replayed.code_of(findings.version),
                found,
                self._left_at(rule),
                self._stands_before(rule),
                self._keeps_audience(rule, moment),
            )
        except (DatabaseError, UserError) as error:  # of the audience, which is asked before anything changes
            if self._session.closed:
                raise
            return replace(frozen, error=in_words(error))
        return as_evaluation(tick, len(found.key), outcome)

    def _left_at(self, rule: Rule) -> Ints:
        """When each account left, as far as that ends alerts of the rule."""
        return np.full(len(self._book.left_at), ALWAYS) if rule.alert.covers_churned else self._book.left_at

    def _stands_before(self, rule: Rule) -> Ints | None:
        """Of each account the first rule, by name, that fires for it and that stands before this one."""
        if not rule.alert.inhibited_by:
            return None
        first = np.full(len(self._book.accounts), NONE)
        for name in reversed(self._by_name):
            if name in rule.alert.inhibited_by:
                position = self.rules[0].together.index(name)
                first[self.rules[position].states.firing_accounts()] = position
        if "" in self._book.accounts:
            first[self._book.accounts.index("")] = NONE
        return first

    def _keeps_audience(self, rule: Rule, moment: datetime) -> KeepsAudience | None:
        """What says which accounts the rule is about, where not all."""
        audience = rule.audience
        if audience is None:
            return None

        def keeps(codes: Ints) -> Bools:
            accounts = [self._book.accounts[code] for code in codes]
            as_of = AsOf(self._settings, moment, sees_ahead=False)
            out: set[str] = set()
            with self._session.cursor() as cursor:
                cursor.execute("savepoint audience")
                try:
                    for start in range(0, len(accounts), AT_A_TIME):
                        out.update(out_of(self._session, audience, accounts[start : start + AT_A_TIME], as_of))
                finally:
                    if not self._session.closed:
                        cursor.execute("rollback to savepoint audience; release savepoint audience")
            return np.array([account not in out for account in accounts], bool)

        return keeps
