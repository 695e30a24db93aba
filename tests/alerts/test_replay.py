"""A replay comes to what the live evaluations of the same moments came to, and leaves no trace."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg2.errors
import pytest
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.alerts.replay import replay
from cs_pipeline.alerts.replay_arrays import CAUSES, GONE, NEVER, STATES
from cs_pipeline.alerts.replay_session import reading, replay_rules
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_histories import AlertHistory, day, lasting

Told = Callable[..., AlertHistory]

ALERTS = """
select
    rule, account_id, entity, state, cause, version, severity, since, since_clock, seen_at, fired_at, missing,
    missing_since, missing_clock, ended_at, reopened, is_baseline, is_held, told_at, measured, held_against,
    jsonb_hash_extended(facts, 0), inhibited_by
from cs.alerts order by 1, 2, 3, since, fired_at
"""
CHANGES = """
select rule, account_id, entity, as_of, from_state, to_state, cause, version, measured
from cs.alert_changes order by 1, 2, 3, change_id
"""
EVALUATIONS = """
select
    rule, as_of, version, health, clock, found, fired, resolved, closed, inhibited, out_of_audience, held, error,
    is_absent, is_baseline, ends_watch
from cs.alert_evaluations order by 1, 2
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def told(warehouse: Warehouse) -> Told:
    return lambda *rules: AlertHistory(warehouse, rules)


def rows(session: Session, sql: str) -> list[tuple]:
    with session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def live(history: AlertHistory, settings: Settings, first: datetime, last: datetime) -> list[list[tuple]]:
    """What the tables of `cs` hold after an evaluation at each moment, each under a clock that stands."""
    schedules = [rule.schedule for rule in history.rules.values()]
    due = {(moment, each.is_weekly) for each in schedules for moment in each.between(first, last)}
    for moment, is_weekly in sorted(due):
        week = (moment - timedelta(weeks=1)).date() if is_weekly else None
        frozen = settings.model_copy(update={"now": moment})
        evaluate_rules(history.warehouse, history.rules, frozen, moment, week)
    with history.warehouse.session() as session:
        return [rows(session, sql) for sql in (ALERTS, CHANGES, EVALUATIONS)]


def replayed(history: AlertHistory, settings: Settings, first: datetime, last: datetime) -> list[list[tuple]]:
    """The same rows of a replay."""
    rules, book = replay_rules(history.warehouse, settings, history.rules, first, last)
    alerts, changes, evaluations = [], [], []
    for each in rules:
        name, keys, versions = each.rule.name, each.keys, each.versions
        account = [book.accounts[code] for code in keys.account]
        for row in each.states.alerts[each.states.alerts["state"] != GONE]:
            alerts.append(
                (
                    name, account[row["key"]], keys.entities[row["key"]], STATES[row["state"]],
                    (*CAUSES, None)[row["cause"]], versions[row["version"]], each.rule.alert.severity,
                    then(row["since"]), row["since_clock"], then(row["seen_at"]), then(row["fired_at"]), row["missing"],
                    then(row["missing_since"]), number(row["missing_clock"]), then(row["ended_at"]), row["reopened"],
                    row["is_baseline"], row["is_held"], then(row["told_at"]), number(row["measured"]),
                    number(row["held_against"]), row["facts"], (*each.together, None)[row["inhibited_by"]],
                )
            )  # fmt: skip
        for row in each.states.changes:
            changes.append(
                (
                    name, account[row["key"]], keys.entities[row["key"]], then(row["at"]), (*STATES, None)[row["from"]],
                    STATES[row["to"]], (*CAUSES, None)[row["cause"]], versions[row["version"]],
                    number(row["measured"]),
                )
            )  # fmt: skip
        evaluations += [
            (
                row.rule, row.as_of, row.version, row.health, row.clock, row.found, row.fired, row.resolved,
                row.closed, row.inhibited, row.out_of_audience, row.held, row.error,
                row.is_absent, row.is_baseline, False,
            )
            for row in each.evaluations
        ]  # fmt: skip
    alerts.sort(key=lambda row: (*row[:3], row[7], row[10] is None, row[10]))
    return [alerts, sorted(changes, key=lambda row: row[:4]), sorted(evaluations, key=lambda row: row[:2])]


def then(at: int) -> datetime | None:
    return None if at == NEVER else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))


def number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def ragged(history: AlertHistory, seed: int, accounts: int = 10, days: int = 32) -> None:
    """Accounts that come and go, about which every rule finds something now and then; data stops twice."""
    random = np.random.default_rng(seed)
    for number in range(accounts):
        left = float(random.integers(3, 14)) if random.random() < 0.3 else None
        history.account(f"a{number}", float(random.integers(-50, 10)), left)
    for name in history.rules:
        for number in range(accounts):
            start = float(random.integers(-5, 15))
            while start < days:
                length = float(random.choice([0.04, 0.5, 1, 1, 2, 3, 6, 15]))
                history.holds(f"a{number}", start, start + length, rule=name, entity=str(random.choice(["", "other"])))
                start += length + float(random.choice([0.04, 0.5, 1, 1, 2, 4, 10]))
    fed = [each / 2 for each in range(-10, 2 * days) if not (8 <= each / 2 < 13 or 20 <= each / 2 < 21)]
    history.insert("staging.stg_tickets", [(day(each), None) for each in fed])


RULES = (
    lasting("at_once"),
    lasting("held", **{"for": "2 days", "resolve_after": "2 evaluations"}),
    lasting("again", again_after="10 days", needs_fresh={"tickets": "2 days"}),
    lasting("happened", nature="event", expires_after="5 days", again_after="20 days"),
    lasting("expires", expires_after="4 days", resolve_after="3 evaluations"),
    lasting("often", schedule="0 6,18 * * *", **{"for": "1 day"}),
    lasting("weekly", schedule="weekly", needs_fresh={"tickets": "1 day"}),
    lasting("behind", inhibited_by=["at_once"], again_after="3 days"),
    lasting("between", inhibited_by=["behind", "weekly"]),
    lasting("flood", limits={"accounts": 2, "share": 0.2}),
)


@pytest.mark.slow(seconds=15)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_replay_is_the_union_of_live_evaluations_byte_for_byte(told: Told, settings: Settings, seed: int) -> None:
    history = told(*RULES)
    ragged(history, seed)
    first, last = day(0), day(16)
    from_replay = replayed(history, settings, first, last)
    from_live = live(history, settings, first, last)
    for found, expected in zip(from_replay, from_live, strict=True):
        assert found == expected
    healths = {row[3] for row in from_live[2]}
    assert {"ok", "no_data", "held"} <= healths
    assert {row[4] for row in from_live[0]} >= {"condition", "account_left", "expired", None}


def test_a_rule_that_cannot_be_asked_about_one_moment_is_an_error_at_that_moment_only(
    told: Told, settings: Settings
) -> None:
    history = told(lasting("idle"), lasting("fine"))
    history.run(
        """
        create view alerts.breaks as
        select as_of, account_id, entity, 1 / (as_of::date - '2025-03-13'::date)::double precision as measured,
            held_against, facts
        from alerts.idle;
        drop view alerts.fine;
        alter view alerts.idle rename to kept;
        alter view alerts.breaks rename to idle
        """
    )
    history.account("a0")
    history.holds("a0", 0, 30)
    from_replay = replayed(history, settings, day(0), day(6))
    assert from_replay == live(history, settings, day(0), day(6))
    health = [(rule, health) for rule, _, _, health, *_ in from_replay[2]]
    assert health.count(("idle", "error")) == 1
    assert health.count(("idle", "ok")) == 6
    assert health.count(("fine", "error")) == 7


def test_a_replay_writes_nothing_and_contacts_nobody(told: Told, settings: Settings) -> None:
    history = told(*RULES)
    ragged(history, 4)

    def written() -> list[tuple]:
        tables = [name for (name,) in history.run("select tablename from pg_tables where schemaname = 'cs' order by 1")]
        counts = [history.run(f"select '{name}', count(*), max(xmin::text::bigint) from cs.{name}") for name in tables]
        sequences = history.run("select sequencename, last_value from pg_sequences where schemaname = 'cs' order by 1")
        return [*(row for count in counts for row in count), *sequences]

    before = written()
    found = replay(history.warehouse, settings, history.rules, day(0), day(16))
    assert len(found.fired) > 0
    assert written() == before


def test_the_server_refuses_what_would_write_into_a_table_of_ours(told: Told, settings: Settings) -> None:
    history = told(lasting("idle"))
    with (
        reading(history.warehouse) as session,
        session.cursor() as cursor,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
    ):
        cursor.execute("delete from cs.alerts")


def test_other_parameters_are_asked_without_setting_them(told: Told, settings: Settings) -> None:
    history = told(lasting("idle"))
    for number, length in enumerate([2, 5, 9]):
        history.account(f"a{number}")
        history.holds(f"a{number}", 3, 3 + length)
    ask = [(history.warehouse, settings, history.rules, day(0), day(20), {"idle": given}) for given in
           ({}, {"days": 4}, {"days.": 4}, {"days": "8"}, {"days.pro": 1})]  # fmt: skip
    fired = [[*replay(*each).fired["account_id"]] for each in ask]
    assert fired == [["a0", "a1", "a2"], ["a1", "a2"], ["a1", "a2"], ["a2"], ["a0", "a1", "a2"]]
    assert history.run("select count(*) from cs.alert_parameters") == [(0,)]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"idle": {"day": 4}}, "idle: day is no parameter of the rule; did you mean days"),
        ({"idle": {"days": "many"}}, "idle: days: expected a number, got 'many'"),
        ({"idle": {"days": -1}}, "idle: days: expected at least 0, got -1"),
        ({"idle": {"days.gold": 1}}, "idle: days.gold: there is no tier gold"),
        ({"other": {"days": 1}}, "other is not among the rules that are replayed: idle"),
    ],
)
def test_a_parameter_that_is_none_of_the_rule_is_one_clear_sentence(
    told: Told, settings: Settings, given: dict[str, dict[str, float]], complaint: str
) -> None:
    history = told(lasting("idle"))
    with pytest.raises(UserError, match=complaint):
        replay(history.warehouse, settings, history.rules, day(0), day(1), given)


def test_a_time_without_a_moment_of_the_rule_is_one_clear_sentence(told: Told, settings: Settings) -> None:
    history = told(lasting("idle", schedule="weekly"))
    with pytest.raises(UserError, match="No rule is asked between 2025-03-11 06:00 and 2025-03-13 06:00 UTC"):
        replay(history.warehouse, settings, history.rules, day(1), day(3))


def test_progress_is_told_up_to_the_last_moment(told: Told, settings: Settings) -> None:
    history = told(lasting("idle", schedule="hourly"), lasting("weekly", schedule="weekly"))
    seen: list[tuple[int, int]] = []
    replay(history.warehouse, settings, history.rules, day(0), day(20), on_progress=lambda *done: seen.append(done))
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert seen[-1] == (20 * 24 + 1 + 2, 20 * 24 + 1 + 2)
