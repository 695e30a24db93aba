"""Which triggers a sensor hands to which run, whatever happens to its cursor and to the runs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.triggers import dispatch_cursor
from cs_pipeline.plays.triggers.dispatch import offer
from cs_pipeline.plays.triggers.dispatch_cursor import Cursor, next_batches
from cs_pipeline.plays.triggers.kinds import open_day
from cs_pipeline.plays.triggers.lifecycle import OLDEST
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play

NEW = Cursor({"yellow": 0})


def test_new_triggers_are_one_batch_a_playbook() -> None:
    found = next_batches({"red": [1, 2], "yellow": [1, 2]}, 2, Cursor({"red": 0, "yellow": 0}), MONDAY)
    assert [(batch.playbook, batch.trigger_ids) for batch in found.batches] == [("red", (1, 2)), ("yellow", (1, 2))]


def test_a_second_tick_asks_for_nothing_while_the_run_is_on_its_way() -> None:
    first = next_batches({"yellow": [1, 2]}, 2, NEW, MONDAY)
    second = next_batches({"yellow": [1, 2]}, 2, Cursor.read(first.cursor), MONDAY + timedelta(minutes=1))
    assert (second.batches, second.reason) == ((), "1 runs on their way")


def test_a_decided_batch_is_forgotten() -> None:
    first = next_batches({"yellow": [1, 2]}, 2, NEW, MONDAY)
    second = next_batches({"yellow": []}, 2, Cursor.read(first.cursor), MONDAY)
    assert (second.reason, Cursor.read(second.cursor)) == ("no undecided triggers", Cursor({"yellow": 2}))


def test_triggers_of_a_failed_run_are_asked_for_again_under_a_new_key() -> None:
    first = next_batches({"yellow": [1, 2]}, 2, NEW, MONDAY)
    later = MONDAY + dispatch_cursor.FIRST_WAIT
    second = next_batches({"yellow": [2]}, 2, Cursor.read(first.cursor), later)
    assert [(batch.trigger_ids, batch.attempt) for batch in second.batches] == [((2,), 2)]
    assert second.batches[0].run_key != first.batches[0].run_key
    third = next_batches({"yellow": [2]}, 2, Cursor.read(second.cursor), later + dispatch_cursor.FIRST_WAIT)
    assert third.batches == ()  # every wait is longer than the one before


def test_a_lost_cursor_starts_at_the_oldest_undecided_trigger_and_says_so() -> None:
    found = next_batches({"yellow": [5, 6]}, 9, Cursor.read(None), MONDAY)
    assert found.batches[0].trigger_ids == (5, 6)
    assert found.reason == "yellow: no cursor, starts at trigger 5"


def test_a_lost_cursor_asks_under_the_same_key() -> None:
    first = next_batches({"yellow": [5, 6]}, 6, NEW, MONDAY)
    second = next_batches({"yellow": [5, 6]}, 6, Cursor.read("rubbish"), MONDAY)
    assert second.batches[0].run_key == first.batches[0].run_key


@pytest.mark.parametrize(
    "text", [None, "", "rubbish", "5", "[]", "null", '{"after": 5}', '{"after": {}, "waiting": [1]}']
)
def test_a_cursor_that_is_not_ours_counts_as_lost(text: str | None) -> None:
    assert Cursor.read(text) == Cursor({})


def test_a_trigger_committed_late_is_still_asked_for() -> None:
    first = next_batches({"yellow": [7]}, 7, NEW, MONDAY)
    second = next_batches({"yellow": [6, 7]}, 7, Cursor.read(first.cursor), MONDAY)
    assert [batch.trigger_ids for batch in second.batches] == [(6,)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_trigger_is_decided_in_the_end_whatever_fails(data: st.DataObject) -> None:
    """Triggers arrive out of order, runs fail, cursors are lost or set back; then all goes well for a while."""
    to_come = list(range(1, data.draw(st.integers(1, 40)) + 1))
    arrived: set[int] = set()
    decided: set[int] = set()
    cursors: list[str | None] = [None]
    running: list[tuple[int, ...]] = []
    now = MONDAY
    for tick in range(60):
        goes_well = tick > 30
        for _ in range(len(to_come) if goes_well else min(3, len(to_come))):
            arrived.add(to_come.pop(0 if goes_well else data.draw(st.integers(0, min(3, len(to_come) - 1)))))
        if not goes_well and data.draw(st.integers(0, 9)) == 0:
            cursors.append(data.draw(st.sampled_from([*cursors[-5:], None, "rubbish"])))
        undecided = {"yellow": sorted(arrived - decided)}
        found = next_batches(undecided, max(arrived, default=0), Cursor.read(cursors[-1]), now)
        cursors.append(found.cursor)
        ids = [trigger_id for batch in found.batches for trigger_id in batch.trigger_ids]
        assert len(ids) == len(set(ids))
        running += [batch.trigger_ids for batch in found.batches]
        for batch in list(running):
            ends = goes_well or data.draw(st.booleans())
            if ends:
                running.remove(batch)
                decided.update(batch if goes_well or data.draw(st.booleans()) else ())
        now += timedelta(days=1) if goes_well else timedelta(minutes=data.draw(st.integers(1, 30)))
    assert decided == arrived == set(range(1, max(arrived) + 1))


def test_a_long_backlog_is_worked_off_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_cursor, "AT_A_TIME", 3)
    monkeypatch.setattr(dispatch_cursor, "MOST_WAITING", 2)
    left = list(range(1, 21))
    cursor, seen = NEW, []
    for _ in range(10):
        found = next_batches({"yellow": left}, 20, cursor, MONDAY)
        assert len(found.batches) <= 2
        seen += [trigger_id for batch in found.batches for trigger_id in batch.trigger_ids]
        left = [trigger_id for trigger_id in left if trigger_id not in seen]
        cursor = Cursor.read(found.cursor)
    assert seen == list(range(1, 21))


# With the database --------------------------------------------------------------------------------------------------


def ask(company: Company, cursor: str | None, now=MONDAY):
    with company.warehouse.session() as session:
        return offer(session, {"yellow": save_play()}, ["score_change"], cursor, now)


def test_ticking_twice_enrols_once(company: Company, settings: Settings) -> None:
    triggers = [company.fall(account) for account in company.accounts(3)]
    first = ask(company, None)
    assert first.batches[0].trigger_ids == tuple(triggers)
    assert ask(company, first.cursor).batches == ()
    enrol(company.warehouse, save_play(), triggers, settings, MONDAY)
    assert ask(company, first.cursor).reason == "no undecided triggers"


def test_a_lost_cursor_neither_loses_nor_repeats(company: Company, settings: Settings) -> None:
    old = company.fall("long_ago", occurred_at=MONDAY - OLDEST - timedelta(days=1))
    done, left = (company.fall(account) for account in company.accounts(2))
    enrol(company.warehouse, save_play(), [done], settings, MONDAY)
    found = ask(company, None)
    assert found.batches[0].trigger_ids == (left,)
    assert "no cursor" in found.reason
    assert old not in found.batches[0].trigger_ids


def test_with_a_cursor_an_old_trigger_is_not_forgotten(company: Company) -> None:
    first = ask(company, None)
    trigger = company.fall("acme", occurred_at=MONDAY - OLDEST - timedelta(days=30))
    assert ask(company, first.cursor).batches[0].trigger_ids == (trigger,)


def test_a_run_that_failed_for_weeks_is_still_tried(company: Company) -> None:
    trigger = company.fall("acme")
    cursor, now = ask(company, None).cursor, MONDAY
    for attempt in range(2, 40):
        now += dispatch_cursor.LONGEST_WAIT
        found = ask(company, cursor, now)
        cursor = found.cursor
        assert [(batch.trigger_ids, batch.attempt) for batch in found.batches] == [((trigger,), attempt)]


@pytest.mark.requirement("S5-04")
def test_a_new_account_opens_a_trigger_and_an_old_one_does_not(company: Company) -> None:
    company.account("new", created_at=MONDAY - timedelta(days=2))
    company.account("old", created_at=MONDAY - timedelta(days=8))
    company.account("gone", created_at=MONDAY - timedelta(days=2), churned_at=MONDAY - timedelta(days=1))
    company.account("future", created_at=MONDAY + timedelta(days=1))
    for expected in (2, 0):  # one of them for who has left
        assert open_day(company.warehouse, MONDAY) == {"lifecycle": expected}
    signups = "select trigger_key, anchor_on, facts from cs.triggers where facts ->> 'anchor' = 'signup'"
    assert company.run(signups) == [("lifecycle:new:signup", date(2025, 3, 8), {"anchor": "signup"})]


@pytest.mark.requirement("S4-95", "S4-99")
def test_who_leaves_opens_a_trigger_and_every_anniversary_of_it_another(company: Company) -> None:
    company.account("gone", churned_at=MONDAY - timedelta(days=1))
    company.account(
        "long_gone", created_at=datetime(2020, 1, 1, tzinfo=UTC), churned_at=datetime(2022, 3, 7, tzinfo=UTC)
    )
    company.account(
        "forgotten", created_at=datetime(2020, 1, 1, tzinfo=UTC), churned_at=datetime(2022, 5, 7, tzinfo=UTC)
    )
    for expected in (2, 0):
        assert open_day(company.warehouse, MONDAY) == {"lifecycle": expected}
    assert company.run("select trigger_key, anchor_on, facts from cs.triggers order by account_id") == [
        ("lifecycle:gone:churn:2025-03-09", date(2025, 3, 9), {"anchor": "churn"}),
        ("lifecycle:long_gone:churn:2022-03-07:3", date(2025, 3, 7), {"anchor": "churn_anniversary"}),
    ]


def test_a_playbook_is_offered_only_the_triggers_that_its_condition_names(company: Company) -> None:
    signup = company.trigger("lifecycle", "acme", anchor="signup")
    churn = company.trigger("lifecycle", "gone", anchor="churn")
    plays = {
        name: save_play(playbook=name, trigger={"kind": "lifecycle", "when": when})
        for name, when in {
            "welcome": "anchor == 'signup' and tier in ('pro', 'starter')",
            "farewell": "anchor in ('churn', 'churn_anniversary')",
            "both": "tier == 'pro' or anchor == 'churn'",
        }.items()
    }
    with company.warehouse.session() as session:
        found = offer(session, plays, {"lifecycle"}, None, MONDAY)
    offered = {batch.playbook: batch.trigger_ids for batch in found.batches}
    assert offered == {"welcome": (signup,), "farewell": (churn,), "both": (signup, churn)}


def test_a_first_install_without_marts_opens_nothing(warehouse) -> None:
    assert open_day(warehouse, MONDAY) == {}


def test_a_backfill_contacts_nobody(company: Company, settings: Settings) -> None:
    """Rows of a backfill are score changes without a trigger, so no sensor has anything to offer."""
    (account,) = company.accounts(1)
    company.insert(
        "cs.score_changes",
        week=date(2025, 3, 3),
        account_id=account,
        model="weekly_points",
        model_version="v1",
        from_severity=0,
        to_severity=1,
        cause="behaviour",
        driver_metrics=[],
        driver_deltas=[],
        driver_causes=[],
        origin="backfill",
    )
    assert ask(company, None).batches == ()


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 5))
def test_a_cursor_comes_back_as_it_was_written(ids: set[int], attempt: int) -> None:
    batch = dispatch_cursor.TriggerBatch("yellow", tuple(sorted(ids)), attempt)
    cursor = Cursor({"yellow": 7}, (dispatch_cursor.Waiting(batch, MONDAY),))
    assert Cursor.read(cursor.write()) == cursor


def test_the_cursor_stays_small_whatever_is_on_its_way() -> None:
    found = next_batches({"yellow": range(1, 4_001)}, 4_000, NEW, MONDAY)
    assert len(found.batches) == 4
    assert len(found.cursor) < 1_000
