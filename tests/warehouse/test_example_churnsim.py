"""examples/churnsim: a CRM's customers and four million rows of events. Facts are those of the files' README.

By default a fifth of the accounts is brought in; what is expected of it was counted in the files, without the pipeline.
"""

from dataclasses import dataclass
from datetime import date

import pytest

from cs_pipeline.warehouse.load_report import LoadReport
from tests.builders.example_history import BroughtIn
from tests.conftest import BringInExample
from tests.warehouse.conftest import Query

pytestmark = [pytest.mark.xdist_group("churnsim"), pytest.mark.slow(seconds=4)]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the files hold."""

    accounts: int
    users: int
    base_periods: int
    addon_periods: int
    periods: tuple[int, int, int]
    """Of a month, of half a year, of a year."""
    won_deals: int
    events: int
    millions: int
    left: int
    last_renewal: date


WHOLE = Facts(
    accounts=454,
    users=9_454,
    base_periods=2_644,
    addon_periods=5_288,
    periods=(7_344, 336, 252),
    won_deals=193_009,
    events=3_976_483,
    millions=8,
    left=114,
    last_renewal=date(2026, 12, 30),
)
PART = Facts(
    accounts=91,
    users=1_729,
    base_periods=559,
    addon_periods=1_118,
    periods=(1_581, 63, 33),
    won_deals=31_375,
    events=649_000,
    millions=1,
    left=24,
    last_renewal=date(2026, 11, 11),
)


@pytest.fixture(scope="module")
def example(bring_in_example: BringInExample) -> BroughtIn:
    return bring_in_example("churnsim")


@pytest.fixture(scope="module")
def facts(example: BroughtIn) -> Facts:
    return WHOLE if example.is_whole else PART


def test_every_row_arrives_and_none_is_put_aside(report: LoadReport, ask: Query, facts: Facts) -> None:
    assert report.rows_rejected == 0
    assert {table.table: table.rows_loaded for table in report.tables if table.table != "events"} == {
        "accounts": facts.accounts,
        "users": facts.users,
        "subscriptions": facts.base_periods + facts.addon_periods,
        "invoices": facts.base_periods + facts.addon_periods,
        "features": 25,
        "value_log": facts.won_deals,
    }
    assert ask("select count(*), round(sum(quantity) / 1e6)::bigint from raw.events where event_name <> 'login'") == [
        (facts.events, facts.millions)
    ]
    assert ask("select sum(quantity)::bigint from raw.events where event_name <> 'login'") == ask(
        "select sum(n::bigint) from landing.event_daily"
    )


def test_an_account_has_left_when_its_last_period_ended_and_none_followed(ask: Query, facts: Facts) -> None:
    assert ask("select count(*) from raw.accounts where churned_at is not null") == [(facts.left,)]
    assert ask(
        "select count(*) from raw.accounts inner join raw.subscriptions using (account_id) "
        "where churned_at is not null and (ended_on is null or ended_on > churned_at)"
    ) == [(0,)]
    assert ask("select count(distinct account_id) from raw.subscriptions where ended_on is null and not is_addon") == [
        (facts.accounts - facts.left,)
    ]


def test_plans_sold_by_users_are_the_base_with_seats_and_the_rest_are_add_ons(ask: Query, facts: Facts) -> None:
    assert ask(
        "select is_addon, count(*), count(seats), count(distinct product) from raw.subscriptions group by 1 order by 1"
    ) == [
        (False, facts.base_periods, facts.base_periods, 1),
        (True, facts.addon_periods, 0, 2),
    ]
    assert ask("select distinct plan, tier from raw.subscriptions where not is_addon order by 2, 1") == [
        ("premier", "enterprise"),
        ("advanced", "pro"),
        ("standard", "pro"),
        ("basic", "starter"),
        ("starter", "starter"),
    ]


def test_only_half_years_and_years_are_terms_that_renew(ask: Query, facts: Facts) -> None:
    months, half_years, years = facts.periods
    assert ask(
        "select billing_months, count(*) filter (where renews_on is null), count(renews_on) from raw.subscriptions "
        "group by 1 order by 1"
    ) == [(1, months, 0), (6, 0, half_years), (12, 0, years)]
    assert ask("select max(renews_on), max(ended_on) < '2026-01-01' from raw.subscriptions") == [
        (facts.last_renewal, True)
    ]


def test_an_invoice_is_over_the_months_of_its_period(ask: Query) -> None:
    assert ask(
        "select count(*) from raw.invoices left join raw.subscriptions "
        "on invoices.account_id = subscriptions.account_id and invoice_id = subscription_id "
        "where subscription_id is null or amount <> mrr * billing_months or issued_on <> started_on"
    ) == [(0,)]


def test_a_day_with_events_is_a_day_with_one_login_of_the_user(ask: Query, facts: Facts) -> None:
    assert ask("select count(*), count(distinct user_id) from raw.events where event_name = 'login'") == ask(
        f"select count(*), {facts.users}::bigint "
        "from (select distinct account_id, user_id, event_date from landing.event_daily) as days"
    )


def test_won_deals_are_the_value_delivered(ask: Query) -> None:
    assert ask("select round(sum(amount)) from raw.value_log") == ask(
        "select round(sum(v::double precision)) from landing.event_daily where event_type_id = '4'"
    )
