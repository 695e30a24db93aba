"""Whether a model still looks at the accounts that it was made for: asked every week, said by doctor and by a check."""

import dagster as dg
import numpy as np
import pytest

from cs_pipeline.backtest.calibrations import record_likelihoods
from cs_pipeline.backtest.distributions import record_distributions
from cs_pipeline.backtest.drift import Drift, Expected, drift_of, stability_index
from cs_pipeline.backtest.measures import Interval
from cs_pipeline.cli.doctor.database import examine_data
from cs_pipeline.orchestration.asset_checks.score_drift import score_has_not_drifted
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import WEEKS, add_company, score_all

NEWEST = week(WEEKS - 1)
ALL = [week(number) for number in range(WEEKS)]


@pytest.fixture
def scored(marts: Warehouse) -> Warehouse:
    """A company whose model looks at one metric, which gives all of its points."""
    add_company(marts)
    score_all(marts, "100 * seat_utilisation")
    change(
        marts,
        """
        insert into cs.score_models (model, model_version, metrics, max_points, definition)
        values ('m', 'v', '{seat_utilisation}', '{100}', '{}');
        update cs.health_scores set points = array[score]
        """,
    )
    return marts


def change(warehouse: Warehouse, sql: str) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)


def asked(warehouse: Warehouse) -> Drift:
    record_likelihoods(warehouse, ALL)
    record_distributions(warehouse, [NEWEST])
    (found,) = drift_of(warehouse)
    return found


def test_the_stability_index_is_that_of_credit_scoring() -> None:
    counts, reference = np.array([200.0, 300, 500]), np.array([300.0, 300, 400])
    by_hand = -0.1 * np.log(2 / 3) + 0.1 * np.log(5 / 4)
    assert stability_index(counts, reference) == pytest.approx(by_hand, abs=0.001)
    assert stability_index(reference, 7 * reference) == pytest.approx(0, abs=1e-4)


def test_a_book_that_stays_as_it_was_is_steady_and_its_likelihoods_come_true(scored: Warehouse) -> None:
    found = asked(scored)
    assert found.is_steady, found.words
    assert isinstance(found.expected, Expected)
    assert found.expected.departures > 0
    assert "metrics and score are as before" in found.words
    assert "were expected to" in found.words


def test_what_is_distributed_otherwise_than_before_is_named_by_the_check_and_by_doctor(scored: Warehouse) -> None:
    change(scored, f"update cs.health_scores set points = array[score / 3] where week = '{NEWEST}'")
    found = asked(scored)
    assert list(found.shifted["metric"]) == ["seat_utilisation"]
    assert "distributed otherwise than in the 52 weeks before" in found.words
    assert "seats in use" in found.words
    said = [each for each in examine_data(scored, Settings()) if each.subject == "drift"]
    assert [(each.state, each.words) for each in said] == [("note", found.words)]
    result = score_has_not_drifted(scored)
    assert isinstance(result, dg.AssetCheckResult)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert {"stability_of_m", "chart_of_m"} <= set(result.metadata)


def test_a_held_week_is_no_drift(scored: Warehouse) -> None:
    change(
        scored,
        f"""
        update cs.health_scores set points = array[0], status = 'held', held_from = '{week(WEEKS - 2)}'
        where week = '{NEWEST}'
        """,
    )
    record_likelihoods(scored, ALL)
    record_distributions(scored, [NEWEST])
    assert all(each.is_steady for each in drift_of(scored))


def test_more_departures_than_the_likelihoods_said_are_told(scored: Warehouse) -> None:
    record_likelihoods(scored, ALL)
    change(
        scored,
        f"update cs.score_outcomes set departures = observations where week > '{week(WEEKS - 22)}'",
    )
    record_distributions(scored, [NEWEST])
    (found,) = drift_of(scored)
    assert not found.is_steady
    assert isinstance(found.expected, Expected)
    assert found.expected.departures > 3 * found.expected.expected
    assert "likelihoods are off" in found.words


def test_a_fitted_model_that_no_longer_knows_says_so_and_names_fit(scored: Warehouse) -> None:
    change(
        scored,
        f"""
        update cs.score_models set definition = '{{"learned_until": "{week(14)}"}}';
        update cs.health_scores
        set score = abs(hashint8(hashtext(account_id)::bigint * 10000 + (week - date '2020-01-06'))) % 100
        """,
    )
    found = asked(scored)
    assert isinstance(found.separation, Interval)
    assert found.has_stopped_knowing
    assert "no longer tells leavers from stayers" in found.words
    assert "`cs-pipeline model fit`" in found.words
