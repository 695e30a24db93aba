"""Which renewal windows open in which week, and what a week may know."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from cs_pipeline.renewals.windows import windows_of
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_term, create_marts, rows

RENEWS = date(2024, 9, 5)  # a Thursday
YEAR_BEFORE = date(2023, 9, 5)


@pytest.fixture
def marts(warehouse: Warehouse) -> Warehouse:
    create_marts(warehouse)
    return warehouse


def mondays(first: date, last: date) -> list[date]:
    return [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


def opened(warehouse: Warehouse, *weeks: date, present: Sequence[date] = ()) -> list[tuple[object, ...]]:
    """Window, week and day of opening, in the order of the days."""
    sql = f"select renewal_window, week, opens_on from ({windows_of(weeks, present)}) as windows order by opens_on"
    return rows(warehouse, sql)


YEAR = mondays(date(2024, 1, 1), date(2024, 12, 30))


@pytest.mark.requirement("S2-13", "S2-14", "S2-15", "S5-30", "S5-31", "S5-32", "S5-33", "S5-34", "C-32")
def test_a_term_enters_every_window_on_its_day_and_then_is_overdue(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS)
    windows = opened(marts, *YEAR)
    assert [(window, RENEWS - day) for window, _, day in windows[:-1] if isinstance(day, date)] == [
        (str(days), timedelta(days=days)) for days in (180, 90, 60, 30, 14, 7)
    ]
    for _, week, day in windows:
        assert isinstance(week, date)
        assert isinstance(day, date)
        assert week + timedelta(days=7) <= day < week + timedelta(days=14)  # the week has ended when it opens
    assert windows[-1] == ("overdue", date(2024, 9, 2), date(2024, 9, 9))


@pytest.mark.requirement("S5-34")
@pytest.mark.parametrize("renewal_type", ["auto", "manual"])
def test_a_window_says_how_the_term_renews_and_what_it_is_worth(marts: Warehouse, renewal_type: str) -> None:
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS, renewal_type=renewal_type)
    columns = "subscription_id, account_id, renewal_date, renewal_type, arr"
    until_renewal = windows_of(mondays(date(2024, 1, 1), date(2024, 9, 2)))
    assert set(rows(marts, f"select {columns} from ({until_renewal}) as windows")) == {
        ("s", "account-of-s", RENEWS, renewal_type, 1200.0)
    }


def test_any_range_of_weeks_gives_what_the_weeks_give_one_by_one(marts: Warehouse) -> None:
    add_term(marts, "a", started_on=YEAR_BEFORE, renews_on=RENEWS)
    add_term(marts, "b", started_on=date(2024, 3, 1), renews_on=date(2024, 6, 1), ended_on=date(2024, 5, 10))
    one_by_one = [row for week in YEAR for row in opened(marts, week)]
    assert sorted(opened(marts, *YEAR), key=str) == sorted(one_by_one, key=str)
    assert len(one_by_one) == 9  # all of a; 60 and 30 of b, before it was cancelled


@pytest.mark.parametrize("days", [-1, 0, 6, 7])
def test_a_window_belongs_to_the_week_whose_following_seven_days_hold_its_day(marts: Warehouse, days: int) -> None:
    week = date(2024, 5, 6)
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=week + timedelta(days=7 + 30 + days))
    assert ("30" in [window for window, *_ in opened(marts, week)]) == (0 <= days < 7)


def test_windows_that_would_open_before_the_term_started_are_left_out(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=RENEWS - timedelta(days=75), renews_on=RENEWS)
    assert [window for window, *_ in opened(marts, *YEAR)] == ["60", "30", "14", "7", "overdue"]


def test_trials_addons_and_terms_without_a_renewal_date_do_not_renew(marts: Warehouse) -> None:
    add_term(marts, "trial", started_on=YEAR_BEFORE, renews_on=RENEWS, is_trial=True)
    add_term(marts, "addon", started_on=YEAR_BEFORE, renews_on=RENEWS, is_addon=True)
    add_term(marts, "open", started_on=YEAR_BEFORE, renews_on=None)
    assert opened(marts, *YEAR) == []


def test_a_week_does_not_know_a_cancellation_that_came_after_it(marts: Warehouse) -> None:
    cancelled = RENEWS - timedelta(days=40)
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=cancelled)
    assert [window for window, *_ in opened(marts, *YEAR)] == ["180", "90", "60"]


def test_a_week_does_not_know_a_renewal_that_came_after_it(marts: Warehouse) -> None:
    add_term(marts, "early", started_on=YEAR_BEFORE, renews_on=RENEWS, successor_started_on=RENEWS - timedelta(days=20))
    add_term(marts, "late", started_on=YEAR_BEFORE, renews_on=RENEWS, successor_started_on=RENEWS + timedelta(days=20))
    sql = f"select subscription_id, renewal_window from ({windows_of(YEAR)}) as windows order by opens_on"
    windows = rows(marts, sql)
    assert [window for subscription, window in windows if subscription == "early"] == ["180", "90", "60", "30"]
    assert [window for subscription, window in windows if subscription == "late"][-2:] == ["7", "overdue"]


@pytest.mark.requirement("C-06")
def test_a_term_is_overdue_only_while_the_account_is_here_and_nothing_followed(marts: Warehouse) -> None:
    passed = date(2024, 9, 2)
    add_term(marts, "open", started_on=YEAR_BEFORE, renews_on=RENEWS)
    add_term(marts, "expired", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS)
    add_term(marts, "renewed", started_on=YEAR_BEFORE, renews_on=RENEWS, successor_started_on=RENEWS)
    add_term(marts, "left", started_on=YEAR_BEFORE, renews_on=RENEWS, churned_at="2024-09-05 12:00+00")
    add_term(marts, "leaves later", started_on=YEAR_BEFORE, renews_on=RENEWS, churned_at="2024-10-05 12:00+00")
    add_term(marts, "cancelled", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS - timedelta(days=2))
    add_term(marts, "last day", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS - timedelta(days=1))
    add_term(marts, "by itself", started_on=YEAR_BEFORE, renews_on=RENEWS, renewal_type="auto")
    add_term(marts, "by itself, ended", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS, renewal_type="auto")
    add_term(marts, "moved", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS, moved_on=RENEWS)
    sql = f"select subscription_id, renewal_window from ({windows_of([passed])}) as windows order by 1"
    assert rows(marts, sql) == [
        ("expired", "overdue"),
        ("last day", "overdue"),
        ("leaves later", "overdue"),
        ("open", "overdue"),
    ]


def test_what_renews_by_itself_enters_its_windows_every_year_and_is_never_overdue(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=date(2020, 9, 5), renews_on=date(2021, 9, 5), renewal_type="auto")
    sql = f"select renewal_date, renewal_window from ({windows_of(YEAR)}) as windows order by opens_on"
    assert rows(marts, sql) == [(RENEWS, str(days)) for days in (180, 90, 60, 30, 14, 7)]
    assert [row[0] for row in opened(marts, *mondays(date(2025, 2, 24), date(2025, 9, 8)))] == [
        str(days) for days in (180, 90, 60, 30, 14, 7)
    ]


def test_what_renews_by_itself_monthly_enters_no_window_before_its_month_began(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=date(2024, 1, 31), renews_on=date(2024, 2, 29), renewal_type="auto")
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_subscription_terms set renews_every_months = 1")
    weeks = mondays(date(2024, 4, 1), date(2024, 4, 29))
    sql = f"select renewal_date, renewal_window, opens_on from ({windows_of(weeks)}) as windows order by opens_on"
    assert rows(marts, sql) == [
        (date(2024, 4, 29), "14", date(2024, 4, 15)),
        (date(2024, 4, 29), "7", date(2024, 4, 22)),
        (date(2024, 5, 29), "30", date(2024, 4, 29)),
    ]


SIGNED = RENEWS
BEFORE_60 = date(2024, 6, 24)  # ends before 7 July, when the window of 60 days opens


def test_the_present_week_opens_no_window_for_a_term_with_a_signed_successor(marts: Warehouse) -> None:
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS, successor_started_on=SIGNED)
    assert [window for window, *_ in opened(marts, BEFORE_60)] == ["60"]
    assert opened(marts, BEFORE_60, present=[BEFORE_60]) == []


def test_a_past_week_knows_a_signature_that_had_arrived(marts: Warehouse) -> None:
    arrived = date(2024, 6, 10)
    add_term(
        marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS, successor_started_on=SIGNED, successor_known_on=arrived
    )
    assert [window for window, *_ in opened(marts, *YEAR)] == ["180", "90"]


@pytest.mark.parametrize(("days_after", "opens"), [(-20, False), (0, False), (1, False), (200, True)])
def test_the_present_week_opens_no_window_for_a_term_that_is_known_to_end_by_then(
    marts: Warehouse, days_after: int, opens: bool
) -> None:
    add_term(marts, "s", started_on=YEAR_BEFORE, renews_on=RENEWS, ended_on=RENEWS + timedelta(days=days_after))
    assert [window for window, *_ in opened(marts, BEFORE_60)] == ["60"]
    assert [window for window, *_ in opened(marts, BEFORE_60, present=[BEFORE_60])] == ["60"] * opens
