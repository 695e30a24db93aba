"""On random contracts terms, weeks, movements, accounts and windows tell one story.

A random example is an account; all of them are built at once. What fails names accounts: their rows are in `told`.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.renewals.dates import next_renewal
from cs_pipeline.renewals.windows import windows_of
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.distribute import undo
from cs_pipeline.warehouse.spread import is_spread
from tests.builders.parsed_project import ParsedProject
from tests.conftest import CopyDatabase
from tests.dbt.conftest import LATER, DbtWarehouse, accounts

ACCOUNTS = 450
PRESENT = date(2025, 4, 7)
FIRST, LAST = date(2023, 12, 25), date(2025, 3, 31)
WEEKS = [FIRST + timedelta(weeks=number) for number in range((LAST - FIRST).days // 7 + 1)]

LENGTHS = st.sampled_from([30, 31, 45, 91, 182, 365, 366, 730])
GAPS = st.sampled_from([0, 0, 0, 1, -1, -12, 10, -29, -31, 29, 31, 60])
AMOUNTS = st.sampled_from([0, 0.1, 30, 100, 120, 120, 1000])


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A line of a product: periods one after the other, with gaps, overlaps, ends and dates of all kinds."""
    common = {
        "product": draw(st.sampled_from([None, "core", "core", "mail"])),
        "is_addon": draw(st.integers(0, 5)) == 0,
        "auto_renew": draw(st.sampled_from([None, False, True])),
    }
    start = date(2023, 1, 2) + timedelta(days=draw(st.integers(0, 800)))
    periods = []
    for nth in range(draw(st.integers(1, 4))):
        until = start + timedelta(days=draw(LENGTHS))
        ends = [None, None, until, until - timedelta(days=1), until - timedelta(days=20), start]
        renewals = [until, until, until, None, start, date(9999, 12, 31)]
        periods.append(
            common
            | {
                "mrr": draw(AMOUNTS),
                "seats": draw(st.sampled_from([None, 1, 10])),
                "started_on": start,
                "ended_on": draw(st.sampled_from(ends)),
                "renews_on": draw(st.sampled_from(renewals)),
                "is_trial": nth == 0 and draw(st.integers(0, 5)) == 0,
            }
        )
        start = until + timedelta(days=draw(GAPS))
    return periods


def some_accounts() -> list[list[dict[str, Any]]]:
    """What random accounts pay for; the same where the same modules are loaded, whose numbers Hypothesis tries."""
    found: list[list[dict[str, Any]]] = []

    @settings(max_examples=ACCOUNTS, derandomize=True, database=None)
    @given(st.lists(lines(), min_size=1, max_size=3))
    def collect(account: list[list[dict[str, Any]]]) -> None:
        found.append([period for line in account for period in line])

    collect()
    return found


@pytest.fixture(scope="module")
def told(
    migrated: Warehouse, copy_once: CopyDatabase, dbt_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtWarehouse:
    """All random accounts, built over all weeks; every seventh of them left, whatever its contracts say."""
    warehouse = copy_once(migrated)
    built = DbtWarehouse(warehouse, dbt_project, Path(tmp_path_factory.mktemp("identities")))
    rows = [
        {"account_id": f"a{number:03}", "subscription_id": f"a{number:03}/{nth:02}", **period}
        for number, periods in enumerate(some_accounts())
        for nth, period in enumerate(periods)
    ]
    names = sorted({str(row["account_id"]) for row in rows})
    assert len(names) >= ACCOUNTS * 0.9
    here = [name for name in names if int(name[1:]) % 7]
    built.load("accounts", *accounts(*here, created_at="2023-01-01 00:00Z"))
    left = [name for name in names if not int(name[1:]) % 7]
    built.load("accounts", *accounts(*left, created_at="2023-01-01 00:00Z", churned_at="2024-12-05 10:00Z"))
    built.load("subscriptions", *rows)
    built.build("--exclude", *LATER, present=f"{PRESENT}T07:00:00Z")
    built.build("--select", "int_kpis_of_retention", present=f"{PRESENT}T07:00:00Z")
    built.build_weeks(str(FIRST), str(LAST))
    built.execute(f"create table windows as select * from ({windows_of(WEEKS)}) as windows")
    with built.warehouse.session() as session, session.cursor() as cursor:
        spread = is_spread(cursor)
    if spread:  # what holds is asked account by account, which a Citus does on one server only
        undo(built.warehouse, lambda _: None)
    return built


HELD = """
    terms.started_on <= {day}
    and (terms.held_until is null or terms.held_until > {day})
    and (accounts.churned_at is null or (accounts.churned_at at time zone 'UTC')::date > {day})
"""
MRR_OF_TERMS = f"""
    coalesce((
        select sum(case when terms.is_trial then 0 else terms.mrr end)
        from marts.fct_subscription_terms as terms
        inner join marts.dim_accounts as accounts using (account_id)
        where terms.account_id = {{account_id}} and {HELD}
    ), 0)
"""


def test_there_is_something_to_contradict(told: DbtWarehouse) -> None:
    (counted,) = told.rows(
        """
        select
            (select count(*) from marts.fct_subscription_terms where successor_started_on is not null) as followed,
            (select count(*) from marts.fct_subscription_terms where moved_on is not null) as moved,
            (select count(*) from marts.fct_subscription_terms where renews_every_months < 12) as shorter,
            (select count(*) from marts.fct_account_weeks where is_renewal_overdue) as overdue,
            (select count(distinct movement) from marts.fct_mrr_movements) as movements,
            (select count(distinct renewal_window) from windows) as windows
        """
    )
    assert min(counted["followed"], counted["overdue"], counted["shorter"]) > 100, counted
    assert counted["moved"] > 1, counted
    assert (counted["movements"], counted["windows"]) == (5, 7)


def test_a_period_follows_one_term_at_most_of_its_own_line_and_near_its_end(told: DbtWarehouse) -> None:
    nearest = next_renewal("terms.renews_on", "terms.renews_every_months", "(later.started_on - 30)")
    assert not told.rows(
        f"""
        select terms.subscription_id
        from marts.fct_subscription_terms as terms
        inner join marts.fct_subscription_terms as later on terms.successor_subscription_id = later.subscription_id
        where not coalesce(
            terms.account_id = later.account_id
            and terms.product = later.product
            and terms.is_addon = later.is_addon
            and later.started_on = terms.successor_started_on
            and later.started_on > terms.started_on
            and (terms.is_trial or not later.is_trial)
            and (terms.ended_on is null or later.started_on <= terms.ended_on + 30)
            and least(abs(later.started_on - terms.ended_on), abs(later.started_on - {nearest})) <= 30,
            false
        )
        """
    )
    assert not told.rows(
        "select successor_subscription_id from marts.fct_subscription_terms "
        "where successor_subscription_id is not null group by 1 having count(*) > 1"
    )


def test_every_month_opens_with_what_the_one_before_closed_and_closes_with_what_its_terms_pay(
    told: DbtWarehouse,
) -> None:
    assert not told.rows(
        """
        select account_id, month
        from (
            select
                *, coalesce(lag(mrr_after) over (partition by account_id order by month), 0) as closed_with
            from marts.fct_mrr_movements
        ) as movements
        where abs(mrr_before - closed_with) > 1e-6 or abs(mrr_before + mrr_change - mrr_after) > 1e-6
        """
    )
    last_day = "(months.month + interval '1 month')::date - 1"
    of_terms = MRR_OF_TERMS.format(account_id="all_accounts.account_id", day=last_day)
    assert not told.rows(
        f"""
        select all_accounts.account_id, months.month, moved.mrr
        from marts.dim_accounts as all_accounts
        cross join generate_series(date '2023-01-01', date '2025-03-01', interval '1 month') as months (month)
        cross join lateral (
            select coalesce(sum(mrr_change), 0) as mrr
            from marts.fct_mrr_movements as movements
            where movements.account_id = all_accounts.account_id and movements.month <= months.month
        ) as moved
        where abs(moved.mrr - {of_terms}) > 1e-6
        """
    )


def test_an_account_pays_today_what_its_movements_came_to(told: DbtWarehouse) -> None:
    assert not told.rows(
        """
        select account_id
        from marts.dim_accounts as accounts
        left join marts.fct_mrr_movements using (account_id)
        group by account_id, accounts.mrr
        having abs(accounts.mrr - coalesce(sum(mrr_change), 0)) > 1e-6
        """
    )


def test_a_week_pays_what_its_terms_do_and_more_only_for_what_has_lapsed_lately(told: DbtWarehouse) -> None:
    of_terms = MRR_OF_TERMS.format(account_id="weeks.account_id", day="weeks.week + 6")
    assert not told.rows(
        f"""
        select account_id, week, mrr, of_terms, lapsed
        from (
            select
                weeks.*,
                {of_terms} as of_terms,
                coalesce((
                    select sum(case when terms.is_trial then 0 else terms.mrr end)
                    from marts.fct_subscription_terms as terms
                    where
                        terms.account_id = weeks.account_id
                        and not terms.is_addon
                        and terms.successor_started_on is null
                        and terms.ended_on between weeks.week + 7 - 30 and weeks.week + 6
                ), 0) as lapsed
            from marts.fct_account_weeks as weeks
        ) as compared
        where mrr not between of_terms - 1e-6 and of_terms + lapsed + 1e-6
        """
    )


def test_an_account_is_in_every_week_in_which_a_term_of_it_holds(told: DbtWarehouse) -> None:
    assert not told.rows(
        f"""
        select accounts.account_id, monday
        from marts.dim_accounts as accounts
        cross join unnest(array[{", ".join(f"date '{week}'" for week in WEEKS)}]) as mondays (monday)
        where
            exists (
                select 1 from marts.fct_subscription_terms as terms
                where terms.account_id = accounts.account_id and {HELD.format(day="monday + 6")}
            )
            and not exists (
                select 1 from marts.fct_account_weeks as weeks
                where weeks.account_id = accounts.account_id and weeks.week = monday
            )
        """
    )


def test_windows_and_weeks_agree_on_what_is_ahead_and_what_is_overdue(told: DbtWarehouse) -> None:
    assert not told.rows(
        """
        select windows.*, weeks.renewal_date as of_the_week
        from windows
        left join marts.fct_account_weeks as weeks using (account_id, week)
        where not coalesce(
            weeks.renewal_date <= windows.renewal_date
            and (windows.renewal_window <> 'overdue' or weeks.is_renewal_overdue),
            false
        )
        """
    )
    # The nearest renewal of the week opens every window that is wide enough, in its turn.
    assert not told.rows(
        """
        select weeks.account_id, weeks.week, weeks.renewal_date, days
        from marts.fct_account_weeks as weeks
        cross join unnest(array[180, 90, 60, 30, 14, 7]) as days (days)
        where
            weeks.renewal_date - days between weeks.week + 7 and weeks.week + 13
            and exists (
                select 1 from marts.fct_subscription_terms as terms
                where
                    terms.account_id = weeks.account_id
                    and terms.renews_on = weeks.renewal_date
                    and terms.started_on <= weeks.renewal_date - days
                    and terms.started_on < weeks.week + 7
                    and (terms.ended_on is null or terms.ended_on >= weeks.week + 7)
                    and (terms.successor_started_on is null or terms.successor_started_on >= weeks.week + 7)
                    and not terms.is_trial
                    and not terms.is_addon
            )
            and not exists (
                select 1 from windows
                where
                    windows.account_id = weeks.account_id
                    and windows.week = weeks.week
                    and windows.renewal_date = weeks.renewal_date
                    and windows.renewal_window = days::text
            )
        """
    )


def test_what_renews_by_itself_alone_is_never_overdue(told: DbtWarehouse) -> None:
    assert not told.rows("select * from windows where renewal_window = 'overdue' and renewal_type = 'auto'")
    assert not told.rows(
        """
        select account_id, week
        from marts.fct_account_weeks as weeks
        where
            is_renewal_overdue
            and not exists (
                select 1 from marts.fct_subscription_terms as terms
                where terms.account_id = weeks.account_id and terms.renewal_type = 'manual' and not terms.is_addon
            )
        """
    )


@pytest.mark.requirement("S3-72", "S3-73", "S4-141", "S4-142", "S4-143", "S4-144")
def test_retention_is_what_the_contracts_of_the_two_days_come_to(told: DbtWarehouse) -> None:
    """The net retention, churn and MRR churn of Gold's "Fighting Churn with Data", in pandas, on the contracts."""
    terms = pd.DataFrame(told.rows("select * from marts.fct_subscription_terms where not is_trial and mrr > 0"))
    left = pd.DataFrame(told.rows("select account_id, churned_at::date as left_on from marts.dim_accounts"))
    terms = terms.merge(left, on="account_id")
    until = terms[["held_until", "left_on"]].apply(lambda days: min(filter(None, days), default=date.max), axis=1)

    def paid(day: date) -> pd.Series:
        return terms[(terms["started_on"] <= day) & (until > day)].groupby("account_id")["mrr"].sum()

    kept = told.rows("select * from intermediate.int_kpis_of_retention where segment_kind = 'all'")
    found = {(row["kpi"], row["month"], row["window_months"]): row["numerator"] / row["denominator"] for row in kept}
    compared = 0
    for end in pd.date_range("2023-06-01", "2025-03-01", freq="MS"):
        for months in (1, 3, 12):
            first, last = (
                (month + pd.offsets.MonthEnd(0)).date() for month in (end - pd.DateOffset(months=months), end)
            )
            start = paid(first)
            if start.empty:
                continue
            now = paid(last).reindex(start.index, fill_value=0)
            expected = {
                "nrr": now.sum() / start.sum(),
                "grr": now.clip(upper=start).sum() / start.sum(),
                "logo_retention": (now > 0).mean(),
                "churn_rate": (now == 0).mean(),
            }
            for kpi, value in expected.items():
                assert found[(kpi, end.date(), months)] == pytest.approx(value), (kpi, end, months)
                compared += 1
    assert compared > 200
