"""examples/churnsim: a CRM's customers and four million rows of events. Facts are those of the files' README."""

from datetime import date

import pytest

from cs_pipeline.warehouse.load_report import LoadReport
from tests.builders.example_history import BroughtIn
from tests.conftest import BringInExample
from tests.warehouse.conftest import Query

pytestmark = pytest.mark.xdist_group("churnsim")


@pytest.fixture(scope="module")
def example(bring_in_example: BringInExample) -> BroughtIn:
    return bring_in_example("churnsim")


def test_every_row_arrives_and_none_is_put_aside(report: LoadReport, ask: Query) -> None:
    assert report.rows_rejected == 0
    assert {table.table: table.rows_loaded for table in report.tables if table.table != "events"} == {
        "accounts": 454,
        "users": 9_454,
        "subscriptions": 7_932,
        "invoices": 7_932,
        "features": 25,
        "value_log": 193_009,
    }
    assert ask("select count(*), round(sum(quantity) / 1e6)::bigint from raw.events where event_name <> 'login'") == [
        (3_976_483, 8)
    ]
    assert ask("select sum(quantity)::bigint from raw.events where event_name <> 'login'") == ask(
        "select sum(n::bigint) from landing.event_daily"
    )


def test_an_account_has_left_when_its_last_period_ended_and_none_followed(ask: Query) -> None:
    assert ask("select count(*) from raw.accounts where churned_at is not null") == [(114,)]
    assert ask(
        "select count(*) from raw.accounts inner join raw.subscriptions using (account_id) "
        "where churned_at is not null and (ended_on is null or ended_on > churned_at)"
    ) == [(0,)]
    assert ask("select count(distinct account_id) from raw.subscriptions where ended_on is null and not is_addon") == [
        (454 - 114,)
    ]


def test_plans_sold_by_users_are_the_base_with_seats_and_the_rest_are_add_ons(ask: Query) -> None:
    assert ask(
        "select is_addon, count(*), count(seats), count(distinct product) from raw.subscriptions group by 1 order by 1"
    ) == [
        (False, 2_644, 2_644, 1),
        (True, 5_288, 0, 2),
    ]
    assert ask("select distinct plan, tier from raw.subscriptions where not is_addon order by 2, 1") == [
        ("premier", "enterprise"),
        ("advanced", "pro"),
        ("standard", "pro"),
        ("basic", "starter"),
        ("starter", "starter"),
    ]


def test_only_half_years_and_years_are_terms_that_renew(ask: Query) -> None:
    assert ask(
        "select billing_months, count(*) filter (where renews_on is null), count(renews_on) from raw.subscriptions "
        "group by 1 order by 1"
    ) == [(1, 7_344, 0), (6, 0, 336), (12, 0, 252)]
    assert ask("select max(renews_on), max(ended_on) < '2026-01-01' from raw.subscriptions") == [
        (date(2026, 12, 30), True)
    ]


def test_an_invoice_is_over_the_months_of_its_period(ask: Query) -> None:
    assert ask(
        "select count(*) from raw.invoices inner join raw.subscriptions on invoice_id = subscription_id "
        "where amount <> mrr * billing_months or issued_on <> started_on"
    ) == [(0,)]


def test_a_day_with_events_is_a_day_with_one_login_of_the_user(ask: Query) -> None:
    assert ask("select count(*), count(distinct user_id) from raw.events where event_name = 'login'") == ask(
        "select count(*), 9454::bigint "
        "from (select distinct account_id, user_id, event_date from landing.event_daily) as days"
    )


def test_won_deals_are_the_value_delivered(ask: Query) -> None:
    assert ask("select round(sum(amount)) from raw.value_log") == ask(
        "select round(sum(v::double precision)) from landing.event_daily where event_type_id = '4'"
    )
