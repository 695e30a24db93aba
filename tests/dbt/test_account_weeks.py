"""fct_account_weeks knows what was known when the week ended: nothing that came later, and nothing it cannot know."""

from datetime import date
from typing import Any

import pytest

from tests.builders.parsed_project import ParsedProject
from tests.dbt.conftest import DbtWarehouse, accounts

WEEK, NEXT_WEEK = "2024-02-26", "2024-03-04"
WITH_HISTORY = ("--select", "+fct_account_weeks", "--exclude-resource-type", "test")


def event(event_id: str, account_id: str, occurred_at: str, **values: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "account_id": account_id,
        "user_id": f"user of {account_id}",
        "occurred_at": occurred_at,
        "event_name": "login",
        **values,
    }


def metrics(dbt_warehouse: DbtWarehouse, columns: str, account_id: str = "a") -> list[tuple[Any, ...]]:
    """The columns of the account, one tuple a week in order."""
    rows = dbt_warehouse.rows(
        f"select {columns} from marts.fct_account_weeks where account_id = '{account_id}' order by week"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.requirement("S5-18", "C-05", "C-16")
def test_a_ticket_resolved_after_the_week_is_still_open_in_it(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "quiet"))
    ticket = {"ticket_id": "t", "account_id": "a", "created_at": "2024-03-03 23:59Z", "priority": "critical"}
    dbt_warehouse.load("tickets", {**ticket, "resolved_at": "2024-03-04 00:00Z"})
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=NEXT_WEEK)

    assert metrics(dbt_warehouse, "open_critical_tickets, worst_open_ticket") == [(1, 2), (0, 0)]
    assert metrics(dbt_warehouse, "open_tickets, worst_open_ticket", "quiet") == [(0, 0), (0, 0)]


@pytest.mark.requirement("C-13", "S5-17", "S3-18", "S3-15")
def test_an_absent_optional_table_makes_its_metrics_missing_not_zero(dbt_warehouse: DbtWarehouse) -> None:
    optional = (
        "open_tickets, worst_open_ticket, tickets_30d, overdue_invoices, overdue_amount, nps_response, "
        "nps_responses_180d, csat_90d, emails_sent_90d, opened_last_3_emails, attended_training_ever, "
        "feature_requests_90d, days_since_last_touchpoint, missed_meetings_90d, core_features_used, "
        "features_available, feature_adoption_ratio, value_delivered_365d, value_ratio, has_cancellation_request, "
        "open_complaints, onboarding_steps_completed, onboarding_steps_total, paid_on_time_ratio_365d, "
        "active_users_7d, active_users_30d, users_total, seat_utilisation"
    )
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=WEEK)

    assert set(metrics(dbt_warehouse, optional)[0]) == {None}
    assert metrics(dbt_warehouse, "events_30d, logged_in_7d, features_used_30d, community_posts_90d") == [(0,) * 4]

    dbt_warehouse.load(
        "tickets",
        {"ticket_id": "t", "account_id": "elsewhere", "created_at": "2024-01-01 00:00Z", "priority": "low"},
    )
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=WEEK)

    assert metrics(dbt_warehouse, "open_tickets, worst_open_ticket, tickets_30d, ticket_spike_ratio") == [
        (0, 0, 0, None)
    ]


def test_late_rows_wait_for_the_week_in_which_they_arrived_unless_asked_for(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("events", event("1", "a", "2024-02-28 10:00Z"))
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=WEEK)
    when_it_ended = metrics(dbt_warehouse, "*")

    dbt_warehouse.load("events", event("2", "a", "2024-02-28 11:00Z", _loaded_at="2024-03-05 09:00Z"))
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=NEXT_WEEK)
    assert metrics(dbt_warehouse, "*")[:1] == when_it_ended
    assert metrics(dbt_warehouse, "events_7d, events_30d") == [(1, 1), (0, 2)]

    dbt_warehouse.build_weeks(WEEK, NEXT_WEEK, late_rows="include")
    assert metrics(dbt_warehouse, "events_7d, events_30d") == [(2, 2), (0, 2)]


@pytest.mark.requirement("S5-16", "C-06")
def test_a_week_does_not_know_who_will_leave_or_which_contract_will_end(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", churned_at="2024-03-04 00:00Z"))
    dbt_warehouse.load(
        "subscriptions",
        {
            "subscription_id": "s",
            "account_id": "a",
            "mrr": 100,
            "seats": 4,
            "started_on": "2024-01-01",
            "ended_on": "2024-03-04",
            "renews_on": "2025-01-01",
        },
    )
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=NEXT_WEEK)

    assert metrics(dbt_warehouse, "week, arr, seats, renewal_date, days_to_renewal, is_renewal_overdue") == [
        (date(2024, 2, 26), 1200, 4, date(2025, 1, 1), 303, False)
    ]


def test_it_builds_on_no_accounts_and_on_a_week_before_all_data(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=WEEK)
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.build(*WITH_HISTORY, week_from="2019-12-30", week_to="2020-01-13")

    assert dbt_warehouse.rows("select * from marts.fct_account_weeks") == []


@pytest.mark.requirement("S5-10")
def test_every_metric_says_what_it_is_in_which_unit(dbt_project: ParsedProject) -> None:
    columns = dbt_project.manifest.nodes["model.cs_pipeline.fct_account_weeks"].columns.values()

    assert not [column.name for column in columns if not column.description]
    assert not [
        column.name for column in columns if column.data_type == "double precision" and "unit" not in column.config.meta
    ]
