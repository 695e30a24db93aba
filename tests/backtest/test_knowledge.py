"""Whether the score that counts knows who leaves: asked every week, said by doctor and by a check."""

from collections.abc import Callable

import dagster as dg
import pytest

from cs_pipeline.backtest.design import Design
from cs_pipeline.backtest.knowledge import Knowledge, what_the_score_knows
from cs_pipeline.backtest.measures import Separation, TooLittle
from cs_pipeline.backtest.observations import read_observations
from cs_pipeline.cli.doctor.database import examine_data
from cs_pipeline.orchestration.asset_checks.score_knowledge import score_knows_who_leaves
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import LEAVERS, STAYERS, WEEKS, add_company, score_all


@pytest.fixture
def scored(marts: Warehouse) -> Callable[[str], Knowledge]:
    add_company(marts)

    def ask(score: str) -> Knowledge:
        score_all(marts, score)
        return what_the_score_knows(marts)

    return ask


def test_a_score_that_follows_what_matters_knows(scored: Callable[[str], Knowledge]) -> None:
    found = scored("100 * seat_utilisation")
    assert isinstance(found.score, Separation)
    assert found.knows
    assert "fit" not in found.words


def test_a_score_beside_the_point_is_named_with_the_metric_that_knows(
    marts: Warehouse, scored: Callable[[str], Knowledge]
) -> None:
    found = scored("10 * nps_response")
    assert not found.knows
    assert found.best_metric in {"seats in use", "core features in use"}
    assert "make a model with `cs-pipeline model fit`" in found.words
    said = [finding for finding in examine_data(marts, Settings()) if finding.subject == "score"]
    assert [(finding.state, finding.words) for finding in said] == [("note", found.words)]
    result = score_knows_who_leaves(marts)
    assert isinstance(result, dg.AssetCheckResult)
    assert not result.passed
    assert result.description == found.words


def test_a_score_that_points_the_wrong_way_does_not_know(scored: Callable[[str], Knowledge]) -> None:
    assert not scored("100 - 100 * seat_utilisation").knows


def test_with_too_few_outcomes_nothing_is_said_against_the_score(marts: Warehouse) -> None:
    add_company(marts)
    score_all(marts, "case when account_id < 'a010' then 50 end")
    found = what_the_score_knows(marts)
    assert isinstance(found.score, TooLittle)
    assert found.knows
    assert "too little data to say" in found.words


def test_of_a_large_book_a_part_is_looked_at_and_always_the_same(marts: Warehouse) -> None:
    add_company(marts)
    design = Design(week(0), week(WEEKS - 1))
    some = read_observations(marts, design, most_accounts=60)
    assert 40 < some["account_id"].nunique() <= 60 < LEAVERS + STAYERS
    assert some.equals(read_observations(marts, design, most_accounts=60))
