"""examples/oulad: real students, from registration to departure. Facts about the files are those of their README."""

from datetime import date

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load_report import LoadReport
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from tests.builders.example_history import BroughtIn
from tests.conftest import BringInExample
from tests.warehouse.conftest import Query

STUDENT_DAYS = "(select distinct code_presentation, id_student, date from landing.studentvle) as days"


pytestmark = [pytest.mark.xdist_group("oulad"), pytest.mark.slow(seconds=2)]


@pytest.fixture(scope="module")
def example(bring_in_example: BringInExample) -> BroughtIn:
    return bring_in_example("oulad")


def test_every_row_arrives_and_none_is_put_aside(report: LoadReport, ask: Query) -> None:
    assert report.rows_rejected == 0
    assert report["accounts"].rows_loaded == report["users"].rows_loaded == report["subscriptions"].rows_loaded == 748
    assert ask("select count(*) from raw.events where event_name = 'click'") == [(350_298,)]
    assert ask("select sum(quantity)::bigint from raw.events where event_name = 'click'") == ask(
        "select sum(sum_click::bigint)::bigint from landing.studentvle"
    )


def test_tables_that_the_data_do_not_have_stay_absent(report: LoadReport, ask: Query) -> None:
    assert {table.table for table in report.tables} == {
        "accounts",
        "users",
        "subscriptions",
        "events",
        "features",
        "onboarding_progress",
    }
    assert ask("select to_regclass('raw.tickets'), to_regclass('raw.invoices')") == [(None, None)]
    assert ask("select distinct seats from raw.subscriptions") == [(1,)]


def test_a_departure_ends_account_and_subscription_and_all_others_run_to_the_end_of_the_course(ask: Query) -> None:
    assert ask("select count(*) from raw.accounts where churned_at is not null") == [(126,)]
    assert ask(
        "select renews_on, count(*), count(*) filter (where ended_on = renews_on) from raw.subscriptions "
        "group by 1 order by 1"
    ) == [(date(2014, 6, 26), 383, 383 - 60), (date(2015, 6, 27), 365, 365 - 66)]
    assert ask(
        "select count(*) from raw.accounts inner join raw.subscriptions using (account_id) "
        "where churned_at::date is distinct from nullif(ended_on, renews_on)"
    ) == [(0,)]


def test_days_become_dates_counted_from_the_first_of_october(ask: Query) -> None:
    assert ask(
        "select distinct occurred_at::text from raw.events inner join landing.studentvle "
        "on event_id = 'click-' || _line where code_presentation = '2013J' and date = '0'"
    ) == [("2013-10-01 12:00:00+00",)]
    assert ask("select min(created_at)::date, max(created_at)::date from raw.accounts") == ask(
        "select min(date '2013-10-01' + date_registration::integer) filter (where code_presentation = '2013J'), "
        "max(date '2014-10-01' + date_registration::integer) filter (where code_presentation = '2014J') "
        "from landing.studentregistration"
    )


def test_a_day_with_clicks_is_a_day_with_one_login(ask: Query) -> None:
    assert ask("select count(*), sum(quantity)::bigint from raw.events where event_name = 'login'") == ask(
        f"select count(*), count(*) from {STUDENT_DAYS}"
    )


def test_clicks_after_the_departure_are_kept(ask: Query) -> None:
    assert ask(
        "select count(*) from raw.events inner join raw.accounts using (account_id) "
        "where occurred_at >= churned_at and event_name = 'click'"
    ) == [(367,)]


def test_hand_ins_are_the_onboarding_steps_and_exams_are_not(ask: Query) -> None:
    assert ask("select count(*), count(completed_at), max(position) from raw.onboarding_progress") == [
        (748 * 5, 3149, 5)
    ]
    assert ask("select distinct step from raw.onboarding_progress where is_aha") == [("tma 1",)]


def test_kinds_of_pages_are_the_features_and_those_one_learns_with_are_core(ask: Query) -> None:
    assert ask("select feature from raw.features where is_core order by 1") == [
        ("forumng",),
        ("oucontent",),
        ("resource",),
        ("url",),
    ]
    assert ask("select count(*) from raw.features") == [(9,)]
    assert ask("select count(*) from raw.events where event_name = 'click' and feature is null") == [(0,)]


def test_addresses_are_of_a_domain_that_nobody_has(ask: Query) -> None:
    assert ask("select count(*) from raw.users where email not like '%@example.org'") == [(0,)]


def test_bringing_it_in_again_changes_nothing(example_warehouse: Warehouse) -> None:
    assert sync_mappings(example_warehouse).rows_loaded == 0
