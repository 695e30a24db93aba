"""Renewal windows of weeks in the warehouse, and the triggers of a live week."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cs_pipeline.health.selection import selection_of
from cs_pipeline.history.renewal_windows import record_windows
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, add_term, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS
from tests.builders.triggers import open_triggers

RENEWS = date(2024, 7, 18)
WEEKS = [week(number) for number in range(30)]
OPENS_90 = date(2024, 4, 8)  # ends before 19 April, when the window of 90 days opens


@pytest.fixture
def term(marts: Warehouse) -> Warehouse:
    add_term(marts, "s", started_on=date(2023, 7, 18), renews_on=RENEWS)
    return marts


def everything(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return rows(warehouse, "select renewal_windows::text from cs.renewal_windows order by 1")


def test_windows_are_kept_for_a_range_of_weeks_and_recording_twice_changes_nothing(term: Warehouse) -> None:
    opened = record_windows(term, WEEKS, Scope(), "backfill")
    first = everything(term)
    assert len(first) == 7
    assert {each.week: dict(each.windows) for each in opened if each.windows} == {
        row_week: {window: 1} for row_week, window in rows(term, "select week, renewal_window from cs.renewal_windows")
    }
    assert sum(each.by_type["manual"] for each in opened) == 7
    record_windows(term, WEEKS, Scope(), "backfill")
    assert everything(term) == first
    for each in WEEKS:
        open_triggers(term, each)
    assert rows(term, "select count(*) from cs.triggers") == [(0,)]


@pytest.mark.requirement("S5-31", "S2-13")
def test_a_live_week_triggers_for_each_window_once(term: Warehouse) -> None:
    record_windows(term, [OPENS_90], Scope(), "live")
    assert open_triggers(term, OPENS_90)["renewal_window"] == 1
    columns = "trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts"
    assert rows(term, f"select {columns} from cs.triggers") == [
        (
            "renewal_window:s:2024-07-18:90",
            "renewal_window",
            "account-of-s",
            "s",
            OPENS_90,
            datetime(2024, 4, 15, tzinfo=UTC),
            RENEWS,
            {
                "renewal_window": "90",
                "renewal_type": "manual",
                "renewal_date": "2024-07-18",
                "opens_on": "2024-04-19",
                "arr": 1200,
            },
        )
    ]
    record_windows(term, [OPENS_90], Scope(), "live")
    assert open_triggers(term, OPENS_90)["renewal_window"] == 0


def test_a_week_older_than_the_newest_scored_one_is_never_live(term: Warehouse) -> None:
    newest = OPENS_90 + timedelta(weeks=1)
    add_account_week(term, "account-of-s", (newest - week(0)).days // 7)
    score_weeks(term, selection_of(WEEKLY_POINTS), [newest], Scope())
    record_windows(term, [OPENS_90, newest], Scope(), "live")
    open_triggers(term, OPENS_90)
    assert rows(term, "select count(*) from cs.triggers") == [(0,)]
    assert rows(term, "select distinct origin from cs.renewal_windows") == [("backfill",)]


def test_only_the_windows_of_accounts_in_scope_are_replaced(term: Warehouse) -> None:
    add_term(term, "other", started_on=date(2023, 7, 18), renews_on=RENEWS)
    number = (OPENS_90 - week(0)).days // 7
    add_account_week(term, "account-of-s", number, tier="enterprise")
    add_account_week(term, "account-of-other", number)
    record_windows(term, [OPENS_90], Scope(segment="enterprise"), "backfill")
    assert rows(term, "select subscription_id from cs.renewal_windows") == [("s",)]
    record_windows(term, [OPENS_90], Scope(segment="pro"), "backfill")
    assert rows(term, "select subscription_id from cs.renewal_windows order by 1") == [("other",), ("s",)]


def test_a_renewal_that_was_moved_has_windows_for_its_new_date(term: Warehouse) -> None:
    record_windows(term, WEEKS, Scope(), "backfill")
    with term.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_subscription_terms set renews_on = '2024-07-25'")
    record_windows(term, WEEKS, Scope(), "backfill")
    assert rows(term, "select distinct renewal_date from cs.renewal_windows") == [(date(2024, 7, 25),)]


def test_no_weeks_are_no_windows(term: Warehouse) -> None:
    assert record_windows(term, [], Scope(), "backfill") == []


def opened_late(warehouse: Warehouse, *, live_before: bool = True) -> list[tuple[object, ...]]:
    """Two live weeks with a week between them that a person filled later; which windows of `s` became triggers."""
    if live_before:
        add_term(warehouse, "before", started_on=date(2023, 7, 9), renews_on=date(2024, 7, 9))
        record_windows(warehouse, [OPENS_90 - WEEK], Scope(), "live")
        open_triggers(warehouse, OPENS_90 - WEEK)
    record_windows(warehouse, [OPENS_90], Scope(), "backfill")
    assert open_triggers(warehouse, OPENS_90)["renewal_window"] == 0
    for _ in ("once", "and not again"):
        record_windows(warehouse, [OPENS_90 + WEEK], Scope(), "live")
        open_triggers(warehouse, OPENS_90 + WEEK)
    return rows(warehouse, "select facts ->> 'renewal_window', anchor_on from cs.triggers where subject_id = 's'")


def test_a_window_of_a_week_that_was_missed_opens_late_while_its_day_is_near(term: Warehouse) -> None:
    """Its day, 19 April, is three days past on Monday the 22nd."""
    assert opened_late(term) == [("90", RENEWS)]


def test_a_window_of_a_missed_week_that_is_a_week_old_is_left_alone(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=date(2023, 7, 18), renews_on=date(2024, 7, 14))  # 90 days before: Monday 15 April
    assert opened_late(marts) == []


def test_a_history_that_is_backfilled_before_the_first_live_week_was_not_missed(term: Warehouse) -> None:
    assert opened_late(term, live_before=False) == []


def test_a_renewal_that_was_signed_meanwhile_is_not_chased(term: Warehouse) -> None:
    add_term(term, "next", started_on=RENEWS, renews_on=RENEWS + timedelta(days=365))
    with term.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update marts.fct_subscription_terms set successor_started_on = renews_on where subscription_id = 's'"
        )
    assert opened_late(term) == []


def test_a_live_week_in_which_no_score_changed_was_live_too(term: Warehouse) -> None:
    """As of a small company: only a conversation fell due."""
    with term.session() as session, session.cursor() as cursor:
        cursor.execute(
            "insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts) "
            "values ('c', 'cadence', 'a', 'a', %s, now(), %s, '{}')",
            [OPENS_90 - WEEK, OPENS_90],
        )
    assert opened_late(term, live_before=False) == [("90", RENEWS)]
