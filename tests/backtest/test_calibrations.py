"""The likelihood of leaving as it is stored each week, and read beside the score."""

from datetime import date, timedelta

import pytest

from cs_pipeline.backtest.calibrations import CalibratedWeek, record_likelihoods
from cs_pipeline.backtest.likelihood import CLOSES_AFTER, Calibration
from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.warehouse.bulk import query, read_rows
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import WEEKS, add_company, score_all

NEWEST = week(WEEKS - 1)


@pytest.fixture
def scored(marts: Warehouse) -> Warehouse:
    add_company(marts)
    score_all(marts, "100 * seat_utilisation")
    return marts


def change(warehouse: Warehouse, sql: str) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)


def test_each_account_of_a_week_has_the_likelihood_of_its_score_with_its_interval(scored: Warehouse) -> None:
    (found,) = record_likelihoods(scored, [NEWEST])
    assert isinstance(found.stated, Calibration)
    assert found.learned_to == NEWEST - CLOSES_AFTER
    rows = query(
        scored,
        "select score, likelihood, likelihood_low as low, likelihood_high as high from cs.active_scores "
        f"where week = '{NEWEST}' order by score",
    )
    assert len(rows) > 100
    assert rows["likelihood"].is_monotonic_decreasing
    assert rows["likelihood"].nunique() > 1
    assert ((rows["low"] < rows["likelihood"]) & (rows["likelihood"] < rows["high"])).all()
    expected = found.stated.likelihood[found.stated.step_of(rows["score"].to_numpy())]
    assert (rows["likelihood"] == expected).all()


def test_each_departure_is_counted_once_and_each_account_once_in_thirteen_weeks(scored: Warehouse) -> None:
    record_likelihoods(scored, [NEWEST])
    (row,) = read_rows(
        scored,
        f"""
        select
            sum(departures) as departures,
            sum(observations) as observations,
            (
                select count(*) from marts.dim_accounts
                where churned_at between '{week(0) + timedelta(days=97)}' and '{NEWEST - CLOSES_AFTER}'
            ) as left_meanwhile
        from cs.score_outcomes
        """,
    )
    assert row["left_meanwhile"] > 20
    assert row["left_meanwhile"] <= row["departures"]
    account_weeks = query(
        scored, f"select count(*) as n from marts.fct_account_weeks where week <= '{NEWEST - CLOSES_AFTER}'"
    )["n"].iloc[0]
    assert row["observations"] == pytest.approx(account_weeks / 13, rel=0.1)


def test_a_past_week_learns_only_from_windows_that_had_closed_and_comes_out_the_same_again(scored: Warehouse) -> None:
    past = week(WEEKS - 12)
    (before,) = record_likelihoods(scored, [past])
    change(scored, f"update cs.score_outcomes set departures = observations where week > '{past - CLOSES_AFTER}'")
    (again, _) = record_likelihoods(scored, [past, NEWEST])
    assert as_stored(scored, past)
    assert isinstance(before.stated, Calibration)
    assert isinstance(again.stated, Calibration)
    assert (before.stated.likelihood == again.stated.likelihood).all()
    assert (before.stated.score_from == again.stated.score_from).all()


def as_stored(warehouse: Warehouse, of: date) -> list[dict[str, object]]:
    return read_rows(warehouse, f"select * from cs.score_calibrations where week = '{of}'")


def test_week_by_week_states_the_same_as_all_weeks_at_once(scored: Warehouse) -> None:
    weeks = [week(number) for number in range(WEEKS - 10, WEEKS)]
    record_likelihoods(scored, weeks)
    at_once = [as_stored(scored, each) for each in weeks]
    change(scored, "delete from cs.score_outcomes; delete from cs.score_calibrations")
    for each in weeks:
        record_likelihoods(scored, [each])
    assert [as_stored(scored, each) for each in weeks] == at_once


def test_where_too_few_left_accounts_have_no_likelihood(scored: Warehouse) -> None:
    (found,) = record_likelihoods(scored, [week(25)])
    assert isinstance(found.stated, TooLittle)
    assert as_stored(scored, week(25))[0]["score_from"] is None
    shown = query(scored, f"select count(likelihood) as n from cs.active_scores where week = '{week(25)}'")
    assert shown["n"].iloc[0] == 0


def test_what_a_person_set_does_not_change_what_the_model_says_of_the_future(scored: Warehouse) -> None:
    record_likelihoods(scored, [NEWEST])
    before = likelihood_of(scored, "a100")
    change(
        scored,
        f"""
        insert into cs.score_overrides (account_id, score, reason, set_by, set_at, from_week, until_week)
        values ('a100', 0, 'new owner', 'olga', '{NEWEST}', '{NEWEST}', '{NEWEST}');
        update cs.health_scores set
            model_score = score, model_band = band, score = 0,
            override_id = (select max(override_id) from cs.score_overrides)
        where week = '{NEWEST}' and account_id = 'a100'
        """,
    )
    assert likelihood_of(scored, "a100") == before


def likelihood_of(warehouse: Warehouse, account: str) -> float:
    rows = read_rows(
        warehouse, f"select likelihood from cs.active_scores where week = '{NEWEST}' and account_id = '{account}'"
    )
    return rows[0]["likelihood"]


def test_another_version_has_a_likelihood_of_its_own_and_a_fitted_one_only_from_weeks_it_has_not_seen(
    scored: Warehouse,
) -> None:
    change(
        scored,
        f"""
        insert into cs.score_models (model, model_version, metrics, max_points, definition)
        values ('m', 'fitted', '{{}}', '{{}}', '{{"learned_until": "{week(20)}"}}');
        insert into cs.health_scores (
            week, account_id, model, model_version, is_active, status, score, band, severity, coverage,
            metric_values, points, contributions, points_lost_to_cap
        )
        select
            week, account_id, model, 'fitted', false, status, 100 - score, band, severity, coverage,
            metric_values, points, contributions, points_lost_to_cap
        from cs.health_scores;
        insert into cs.scored_weeks (week, model, model_version, newest_load_id)
        select week, model, 'fitted', 0 from cs.scored_weeks
        """,
    )
    assert [each.model_version for each in record_likelihoods(scored, [NEWEST])] == ["v"]
    (beside,) = record_likelihoods(scored, [NEWEST], ("m", "fitted"))
    assert isinstance(beside, CalibratedWeek)
    assert beside.model_version == "fitted"
    assert beside.learned_from == week(19)
    assert len(query(scored, f"select * from cs.score_calibrations where week = '{NEWEST}'")) == 2
