"""A simulation's memory answers the rules of plays as PostgreSQL does, whatever happened to a play before."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from cs_pipeline.plays.enrolment.enrol import enter, refusals_in
from cs_pipeline.plays.enrolment.play_store import ABOUT_COLUMNS, MAILED_COLUMNS, PlayStore
from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.query import KNOWN, AsOf, typed
from cs_pipeline.plays.playbooks import versions
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.memory_store import MemoryStore
from cs_pipeline.plays.triggers.dispatch import UNDECIDED_COLUMNS
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company, save_play
from tests.conftest import CopyDatabase

ACCOUNTS = ("acme", "brill")
RENEWALS: dict[str, object] = {"family": "renewal", "trigger": {"kind": "renewal_window"}}
TO_USER: dict[str, object] = {
    "trigger": {"kind": "alert"},
    "steps": [{"step": "remind", "day": 0, "channel": "email", "to": "user", "template": "t", "intent": "inform"}],
}
PLAYS = [
    save_play(playbook="low", priority=10, exit=[], trigger={"kind": "score_change"}, reentry_after_days=3),
    save_play(playbook="high", priority=80, exit=[], trigger={"kind": "score_change"}),
    save_play(playbook="ladder", priority=50, exit=[], reentry_after_days=9, **RENEWALS),
    save_play(playbook="last_call", priority=90, exit=[], **RENEWALS),
    save_play(playbook="whole", priority=50, family="renewal", exit=[], trigger={"kind": "score_change"}),
    save_play(playbook="reminder", priority=50, family="renewal", exit=[], reentry_after_days=9, **TO_USER),
]
SIBLINGS = ["step", "channel", "role", "status", "due_at", "sent_at", "is_resent"]

Op = tuple[str, int, Sequence[tuple[str, str]] | str]
CAUSES = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(["s1", "s2"])), min_size=1, max_size=3)
OPS = st.one_of(
    st.tuples(st.just("enter"), st.integers(0, len(PLAYS) - 1), CAUSES),
    st.tuples(st.just("enter"), st.integers(0, len(PLAYS) - 1), CAUSES),
    st.tuples(st.sampled_from(["send", "drop", "end"]), st.just(0), st.sampled_from(ACCOUNTS)),
    st.tuples(st.just("complete"), st.just(0), st.just("")),
    st.tuples(st.just("wait"), st.integers(1, 6), st.just("")),
)


class Both:
    """The same plays in PostgreSQL and in memory."""

    def __init__(self, company: Company) -> None:
        self.company, self.memory, self.now = company, MemoryStore(), MONDAY
        self.memory.week = date(2025, 3, 3)
        self.triggers = 0
        self.as_of = AsOf(Settings(home=Path("unused")), self.now)
        with company.warehouse.session() as session:
            for play in PLAYS:
                versions.remember(session, play)

    def do(self, op: Op) -> None:
        what, number, of_whom = op
        if what == "enter" and not isinstance(of_whom, str):
            self.enter(PLAYS[number], of_whom)
        elif what == "wait":
            self.now += timedelta(days=number)
        elif what == "complete":
            everybody = [enrolment_id for (enrolment_id,) in self.company.run("select enrolment_id from cs.enrolments")]
            with self.company.warehouse.session() as session:
                assert PostgresStore(session).complete(self.now, everybody) == self.memory.complete(self.now)
        elif what == "end":
            self.end(str(of_whom))
        else:
            self.move(what, str(of_whom))

    def enter(self, play: Playbook, causes: Sequence[tuple[str, str]]) -> None:
        """Both decide on the same triggers by the same rules, each from what it remembers."""
        is_about_one = play.trigger.kind == "renewal_window"
        rows = []
        for account, subscription in causes:
            self.triggers += 1
            subject = subscription if is_about_one or play.is_about_user else None
            key = f"cause-{self.triggers}"
            # A renewal is ahead: what would be late by now, a simulation takes on its Monday.
            anchor_on = self.now.date() + timedelta(days=10 if is_about_one else 0)
            trigger_id = self.company.trigger(
                play.trigger.kind, account, key=key, subject_id=subject, occurred_at=self.now, anchor_on=anchor_on
            )
            about = (subject, None) if is_about_one else (None, subject)
            rows.append((trigger_id, key, account, *about, self.now, anchor_on, {}, self.now))
        offered = pd.DataFrame(rows, columns=[*UNDECIDED_COLUMNS, "decided_at"], dtype="object")
        known = typed(pd.DataFrame({"country": ["DE"] * len(rows), "severity": 1.0}), ACCOUNT_FACTS)
        known = known.assign(**{KNOWN: True})
        with self.company.warehouse.session() as session:
            for store in (PostgresStore(session), self.memory):
                reasons = refusals_in(play, offered, known, store.state(play, offered, self.now))
                as_of = AsOf(self.as_of.settings, self.now)
                enter(session, store, play, offered.assign(reason=reasons), known, as_of)

    def end(self, account: str) -> None:
        active = self.memory.active
        ids = active.index[active["account_id"] == account]
        self.memory.end(pd.Series("recovered", index=ids, dtype="object"), self.now)
        with self.company.warehouse.session() as session:
            found = self.company.run(
                "select enrolment_id from cs.enrolments where status = 'active' and account_id = %s",
                account,
                session=session,
            )
            ended = pd.Series("recovered", index=[each for (each,) in found], dtype="object")
            PostgresStore(session).end(ended, self.now)

    def move(self, what: str, account: str) -> None:
        """Everything that is planned for an account goes out, or is dropped."""
        planned = self.memory.actions[self.memory.actions["status"] == "planned"]
        of_account = planned.index[planned["account_id"] == account]
        status = "sent" if what == "send" else "suppressed"
        if what == "send":
            self.memory.take(pd.Series("ada@acme.example", index=of_account, dtype="object"))
        else:
            self.memory.drop(pd.Series("condition", index=of_account, dtype="object"))
        self.company.run(
            "update cs.actions set status = %s, sent_at = case when %s = 'sent' then due_at end "
            "where status = 'planned' and account_id = %s",
            status, status, account,
        )  # fmt: skip

    def agree(self) -> None:
        run = self.company.run
        in_memory = self.memory.enrolments
        columns = ["playbook", "account_id", "subject_id", "user_id", "status", "reason", "enrolled_at", "ended_at"]
        assert Counter(in_memory[columns].itertuples(index=False, name=None)) == Counter(
            run(
                "select playbook, account_id, subscription_id, user_id, status, reason, enrolled_at, ended_at "
                "from cs.enrolments where status <> 'refused'"
            )
        )
        assert Counter({(name, why): count for (_, name, why), count in self.memory.refused.items()}) == Counter(
            run("select playbook, reason from cs.enrolments where status = 'refused'")
        )
        with self.company.warehouse.session() as session:
            stored = PostgresStore(session)
            ids = [row[0] for row in run("select enrolment_id from cs.enrolments", session=session)]
            both: tuple[tuple[PlayStore, list[int]], ...] = ((self.memory, in_memory.index.tolist()), (stored, ids))
            assert len({rows_of(store.siblings(mine), SIBLINGS) for store, mine in both}) == 1
            names = [play.playbook for play in PLAYS]
            assert len({rows_of(store.mailed(ACCOUNTS, names), MAILED_COLUMNS) for store, _ in both}) == 1
            for play in PLAYS:
                asked = everything(play)
                answers = [store.state(play, asked, self.now).values.tolist() for store, _ in both]
                assert answers[0] == answers[1], play.playbook


def rows_of(found: pd.DataFrame, columns: Sequence[str]) -> tuple[str, ...]:
    rows = found[list(columns)].astype("object").where(found[list(columns)].notna(), None)
    return tuple(sorted(str([_plain(value) for value in row]) for row in rows.itertuples(index=False)))


def _plain(value: object) -> object:
    return f"{pd.Timestamp(value):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value


def everything(play: Playbook) -> pd.DataFrame:
    """Every account, subscription and user that the playbook could be offered."""
    subjects = ["s1", "s2"] if play.trigger.kind == "renewal_window" else [None]
    users = ["s1", "s2"] if play.is_about_user else [None]
    rows = [(account, subject, user) for account in ACCOUNTS for subject in subjects for user in users]
    return pd.DataFrame(rows, columns=list(ABOUT_COLUMNS), dtype="object")


@pytest.fixture(scope="module")
def company_of_two(migrated: Warehouse, copy_once: CopyDatabase) -> Company:
    company = Company(copy_once(migrated))
    for account in ACCOUNTS:
        company.account(account)
    return company


@of_hypothesis(max_examples=8)
@example(
    [
        ("enter", 2, [("acme", "s1"), ("acme", "s2"), ("acme", "s1")]),
        ("send", 0, "acme"),
        ("enter", 3, [("acme", "s2"), ("brill", "s1")]),
        ("complete", 0, ""),
        ("wait", 4, ""),
        ("enter", 2, [("acme", "s1"), ("brill", "s2")]),
        ("enter", 4, [("brill", "s1")]),
    ]
)
@example(
    [
        ("enter", 0, [("acme", "s1"), ("brill", "s1")]),
        ("enter", 1, [("acme", "s1")]),
        ("enter", 0, [("acme", "s1")]),
        ("end", 0, "brill"),
        ("enter", 0, [("brill", "s1")]),
        ("wait", 3, ""),
        ("drop", 0, "acme"),
        ("complete", 0, ""),
        ("enter", 0, [("acme", "s1"), ("brill", "s1")]),
    ]
)
@example(
    [
        ("enter", 5, [("acme", "s1"), ("acme", "s2"), ("acme", "s1")]),
        ("send", 0, "acme"),
        ("enter", 5, [("acme", "s1"), ("brill", "s1")]),
        ("complete", 0, ""),
        ("enter", 5, [("acme", "s1"), ("acme", "s2")]),
        ("wait", 6, ""),
        ("enter", 4, [("brill", "s1"), ("acme", "s1")]),
        ("enter", 5, [("acme", "s1")]),
        ("wait", 6, ""),
        ("end", 0, "acme"),
        ("enter", 5, [("acme", "s2")]),
    ]
)
@given(st.lists(OPS, min_size=3, max_size=7))
def test_memory_and_postgresql_answer_alike_whatever_happened(company_of_two: Company, ops: list[Op]) -> None:
    company_of_two.run("truncate cs.triggers, cs.enrolments, cs.actions cascade")
    both = Both(company_of_two)
    for op in ops:
        both.do(op)
        both.agree()
