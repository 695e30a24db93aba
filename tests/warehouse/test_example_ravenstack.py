"""examples/ravenstack: very untidy tables. Each oddity that their README names, and what becomes of it."""

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load_report import LoadReport
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.rejects import count_rejects
from tests.builders.example_history import BroughtIn
from tests.conftest import BringInExample
from tests.warehouse.conftest import Query

USAGE = "select count(*) from raw.events inner join raw.accounts using (account_id) where event_name = 'feature_use'"


pytestmark = [pytest.mark.xdist_group("ravenstack"), pytest.mark.slow(seconds=2)]


@pytest.fixture(scope="module")
def example(bring_in_example: BringInExample) -> BroughtIn:
    return bring_in_example("ravenstack")


def test_usage_under_a_key_that_was_used_before_is_put_aside(
    report: LoadReport, example_warehouse: Warehouse, ask: Query
) -> None:
    assert [(c.table, c.column, c.reason, c.rows, c.origin) for c in count_rejects(example_warehouse)] == [
        ("events", "event_id", "repeats the key of an earlier row", 21, "mapping events")
    ]
    assert report.rows_rejected == 21
    assert ask(USAGE) == [(25_000 - 21,)]


def test_dates_are_read_day_first(ask: Query) -> None:
    assert ask(
        "select count(*) from raw.accounts inner join landing.ravenstack_accounts using (account_id) "
        "where to_char(created_at, 'DD-MM-YYYY') <> signup_date"
    ) == [(0,)]
    assert ask(
        "select count(*) from raw.tickets inner join landing.ravenstack_support_tickets using (ticket_id) "
        "where to_char(resolved_at, 'DD-MM-YYYY HH24:MI') is distinct from closed_at"
    ) == [(0,)]


def test_usage_before_the_sign_up_and_outside_the_subscription_is_kept(ask: Query) -> None:
    ((kept,),) = ask(f"{USAGE} and occurred_at < created_at")
    ((repeated,),) = ask(
        "select count(*) from raw.raw_rejects inner join raw.accounts on account_id = row_data ->> 'account_id' "
        "where (row_data ->> 'occurred_at')::timestamptz < created_at"
    )
    assert (kept, repeated) == (13_189, 13_198 - 13_189)
    ((outside,),) = ask(
        "select count(*) from raw.events inner join landing.ravenstack_feature_usage on usage_id = event_id "
        "inner join landing.ravenstack_subscriptions using (subscription_id) "
        "where to_char(occurred_at, 'DD-MM-YYYY') = usage_date "
        "and (occurred_at::date < to_date(start_date, 'DD-MM-YYYY') "
        "or occurred_at::date > to_date(end_date, 'DD-MM-YYYY'))"
    )
    assert 19_432 - 21 <= int(str(outside)) <= 19_432


def test_tickets_before_the_sign_up_are_kept(ask: Query) -> None:
    assert ask(
        "select count(*), count(*) filter (where tickets.created_at < accounts.created_at) "
        "from raw.tickets inner join raw.accounts using (account_id)"
    ) == [(2_000, 1_077)]


def test_priorities_and_scores_become_those_of_the_contract(ask: Query) -> None:
    assert ask("select priority, count(*) from raw.tickets group by 1 order by 1") == [
        ("critical", 514),
        ("high", 510),
        ("low", 485),
        ("normal", 491),
    ]
    assert ask("select count(*), min(csat), max(csat), max(csat_scale) from raw.tickets where csat is not null") == [
        (1_175, 3.0, 5.0, 5.0)
    ]


def test_the_table_of_users_is_there_and_empty_and_usage_has_no_user(ask: Query) -> None:
    assert ask("select count(*) from raw.users") == [(0,)]
    assert ask("select count(user_id) from raw.events") == [(0,)]


def test_an_account_has_left_only_when_flag_and_event_agree(ask: Query) -> None:
    assert ask("select count(*) from raw.accounts where churned_at is not null") == [(75,)]
    assert ask(
        "select count(*) from raw.accounts inner join landing.ravenstack_accounts using (account_id) "
        "where churned_at is null and churn_flag = 'TRUE'"
    ) == [(110 - 75,)]


def test_every_churn_event_is_a_cancellation_request_withdrawn_by_a_new_subscription(ask: Query) -> None:
    assert ask("select count(*), count(distinct account_id) from raw.cancellation_requests") == [(600, 352)]
    assert ask(
        "select count(*) from raw.cancellation_requests as request where withdrawn_at is null and exists ("
        "select from raw.subscriptions where subscriptions.account_id = request.account_id "
        "and started_on > requested_at::date and subscription_id = product)"
    ) == [(0,)]


def test_words_of_churn_events_are_feedback_and_events_without_words_are_not(ask: Query) -> None:
    assert ask("select kind, count(*) from raw.feedback group by 1 order by 1") == [
        ("competitor_mention", 136),
        ("feature_request", 155),
        ("price_objection", 161),
    ]
    assert ask("select count(*) from raw.cancellation_requests where reason not like '%: %'") == [(148,)]


def test_concurrent_subscriptions_are_all_kept_and_annual_ones_have_a_row_a_term(ask: Query) -> None:
    assert ask("select count(distinct product) from raw.subscriptions") == [(5_000,)]
    assert ask(
        "select billing_months, count(*) filter (where renews_on is null), count(distinct product), "
        "count(*) > 5000 - 2539 from raw.subscriptions group by 1 order by 1"
    ) == [(1, 2_539, 2_539, True), (12, 0, 2_461, True)]
    begun = set(ask("select product, started_on from raw.subscriptions"))
    ended = set(
        ask(
            "select subscription_id, to_date(end_date, 'DD-MM-YYYY') from landing.ravenstack_subscriptions "
            "where end_date <> ''"
        )
    )
    renewed = ask(
        "select product, renews_on from raw.subscriptions where ended_on = renews_on and ended_on < '2024-12-31'"
    )
    assert renewed
    assert [term for term in renewed if term not in begun | ended] == []


def test_what_nothing_says_is_missing(report: LoadReport, ask: Query) -> None:
    assert {table.table for table in report.tables} == {
        "accounts",
        "users",
        "subscriptions",
        "events",
        "tickets",
        "feedback",
        "cancellation_requests",
    }
    assert ask("select count(owner_email), count(timezone) from raw.accounts") == [(0, 0)]
    assert ask("select distinct country from raw.accounts where country in ('UK', 'GB')") == [("GB",)]


def test_bringing_it_in_again_changes_nothing(example_warehouse: Warehouse) -> None:
    again = sync_mappings(example_warehouse)
    assert (again.rows_loaded, again.rows_rejected) == (0, 21)
