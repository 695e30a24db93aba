"""The project as a whole: it builds on nothing and on little, and its own tests of logic hold."""

import time
from typing import Any

import pytest
from dbt.adapters.cache import RelationsCache

from tests.builders.parsed_project import ParsedProject
from tests.dbt.conftest import LATER, DbtWarehouse, accounts

MARTS = (
    *("dim_accounts", "dim_contacts", "fct_subscription_terms", "fct_mrr_movements", "fct_cohort_retention"),
    *("fct_account_months", "fct_mrr_bridge", "fct_kpis"),
)


def test_everything_builds_without_a_single_account(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.build("--exclude", *LATER)
    dbt_warehouse.build_weeks("2024-03-04")
    dbt_warehouse.build("--select", "tag:alerts", "fct_kpis", "path:models/intermediate/kpis", "path:models/reports")
    views = dbt_warehouse.column("select viewname::text from pg_views where schemaname = 'reports'")
    assert [view for view in views if dbt_warehouse.column(f"select count(*) from reports.{view}") != [0]] == []
    assert len(views) == 7
    assert all(dbt_warehouse.column(f"select count(*) from marts.{mart}") == [0] for mart in MARTS)
    assert dbt_warehouse.column("select count(*) from marts.fct_account_weeks") == [0]
    rules = dbt_warehouse.column("select viewname::text from pg_views where schemaname = 'alerts'")
    assert {"signups_low", "agents_too_few", "response_time_high", "csat_low"} <= set(rules)
    assert [rule for rule in rules if dbt_warehouse.column(f"select count(*) from alerts.{rule}") != [0]] == []


def test_the_unit_tests_of_the_models_hold(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.build("--exclude", *LATER, "--exclude-resource-type", "test")
    dbt_warehouse.build_weeks("2024-03-04")
    dbt_warehouse.build("--select", "path:models/intermediate/kpis", "--exclude-resource-type", "test")
    failed = dbt_warehouse.failures("test", "--select", "test_type:unit")
    assert not failed, "\n\n".join(failed)


def test_what_differs_from_run_to_run_makes_dbt_parse_no_model_again(dbt_project: ParsedProject) -> None:
    read_while_parsing = {
        name for file in dbt_project.manifest.files.values() for name in getattr(file, "env_vars", ())
    }
    assert read_while_parsing == {"CS_PIPELINE_DBT_SCRATCH_SCHEMA"}


def test_an_absent_table_is_empty_in_staging_until_it_is_loaded(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("Żółć & 株式会社"))
    dbt_warehouse.build("--select", "stg_tickets")
    assert dbt_warehouse.column("select count(*) from staging.stg_tickets") == [0]
    dbt_warehouse.load(
        "tickets",
        {"ticket_id": "t", "account_id": "Żółć & 株式会社", "created_at": "2024-01-02Z", "priority": "low"},
    )
    dbt_warehouse.build("--select", "stg_tickets")
    assert dbt_warehouse.column("select account_id from staging.stg_tickets") == ["Żółć & 株式会社"]


def test_a_table_is_found_while_another_thread_still_fills_the_cache_of_dbt(
    dbt_warehouse: DbtWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = {"ticket_id": "t", "account_id": "a", "created_at": "2024-01-02Z", "priority": "low"}
    sent = {"email_event_id": "e", "account_id": "a", "message_id": "m", "event": "sent", "occurred_at": "2024-01-02Z"}
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("tickets", ticket)
    dbt_warehouse.load("email_events", sent)

    def add_slowly(cache: RelationsCache, relation: Any) -> None:
        added(cache, relation)
        if relation.schema == "raw":
            time.sleep(0.1)

    added = RelationsCache.add
    monkeypatch.setattr(RelationsCache, "add", add_slowly)
    views = ("stg_accounts", "stg_email_events", "stg_tickets")
    dbt_warehouse.build("--select", *views, "--exclude-resource-type", "test")
    assert [dbt_warehouse.column(f"select count(*) from staging.{view}") for view in views] == [[1], [1], [1]]


def test_an_unsubscribe_is_seen_without_a_build(dbt_warehouse: DbtWarehouse) -> None:
    user = {"user_id": "u", "account_id": "a", "email": "u@example.com", "created_at": "2024-01-02Z"}
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("users", user)
    dbt_warehouse.build("--select", "+dim_contacts", "--exclude-resource-type", "test")
    dbt_warehouse.load("users", {**user, "unsubscribed_at": "2024-02-01 10:00Z"})
    assert dbt_warehouse.column("select unsubscribed_at::text from marts.dim_contacts") == ["2024-02-01 10:00:00+00"]


def test_a_key_that_is_in_two_accounts_and_one_that_nothing_enforces_are_found(dbt_warehouse: DbtWarehouse) -> None:
    of_keys = ("--select", "test_name:keys_are_of_one_account", "test_name:canonical_keys_are_enforced")
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    dbt_warehouse.load(
        "users", {"user_id": "u", "account_id": "a", "email": "u@example.com", "created_at": "2024-01-02Z"}
    )
    assert dbt_warehouse.failures("test", *of_keys) == []
    dbt_warehouse.execute(
        "insert into raw.users (user_id, account_id, email, created_at, _load_id) "
        "select user_id, 'b', email, created_at, _load_id from raw.users"
    )
    dbt_warehouse.execute("alter table raw.events drop constraint events_pkey")
    # A Citus takes no key without the account; elsewhere one that lacks nothing else is found.
    key = "account_id, occurred_at, event_name" if dbt_warehouse.is_spread else "event_id, occurred_at"
    dbt_warehouse.execute(f"alter table raw.events add primary key ({key})")
    failed = sorted(words.partition("_stg_accounts")[0] for words in dbt_warehouse.failures("test", *of_keys))
    assert failed == ["canonical_keys_are_enforced", "keys_are_of_one_account"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "need --vars with week_from and week_to"),
        ({"week_from": "2024-03-05", "week_to": "2024-03-11"}, "week_from is 2024-03-05, which is not a Monday"),
        (
            {"week_from": "2024-03-04", "week_to": "2024-03-04", "late_rows": "maybe"},
            "late_rows is 'maybe'; expected exclude or include",
        ),
    ],
)
def test_weeks_that_cannot_be_built_say_why(dbt_warehouse: DbtWarehouse, variables: dict[str, str], says: str) -> None:
    (failure,) = dbt_warehouse.failures("run", "--select", "fct_account_weeks", **variables)
    assert says in failure
