"""Points are whole, add up to 100, and rank accounts as the regression behind them does; bands stand apart."""

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.backtest.measures import single_auc
from cs_pipeline.fitting.bands import cut_bands
from cs_pipeline.fitting.scorecard import Scorecard, as_score_model, make_scorecard
from cs_pipeline.fitting.selection import candidates
from cs_pipeline.fitting.stability import Stability, resample, stable
from cs_pipeline.health.reweighting import as_yaml
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.validation import model_problems
from tests.builders.fitted_book import CANDIDATES, CAUSES, observed_book

BANDS = [{"band": "Green", "from": 60, "severity": 0}, {"band": "Red", "from": 0, "severity": 3}]


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    return observed_book(1, accounts=1000)


@pytest.fixture(scope="module")
def card(book: pd.DataFrame) -> Scorecard:
    return make_scorecard(candidates(book, CANDIDATES), 8)


def model_of(card: Scorecard) -> ScoreModel:
    return as_score_model(card, model="fitted", title="Fitted", bands=BANDS)


def test_points_are_whole_and_add_up_to_100(card: Scorecard) -> None:
    assert {each.metric for each in card.metrics} == set(CAUSES)
    assert sum(each.most for each in card.metrics) == 100
    assert all(min(each.points) == 0 for each in card.metrics)
    assert all(len(each.points) == len(each.steps) == len(set(each.points)) for each in card.metrics)


def test_it_is_a_sound_score_model_in_dimensions_of_its_metrics(card: Scorecard) -> None:
    model = model_of(card)
    assert list(model_problems(model)) == []
    assert set(model.dimension_names) == {"usage", "support"}


def test_scores_rank_accounts_and_so_many_points_halve_the_odds(book: pd.DataFrame, card: Scorecard) -> None:
    score = Arithmetic(model_of(card)).score(book).score
    outcome = book["departs"].to_numpy(bool)
    assert single_auc(outcome, -score) > 0.72
    middle = np.median(score)
    low, high = (score < middle - 10), (score > middle + 10)
    odds = [outcome[part].mean() / (1 - outcome[part].mean()) for part in (low, high)]
    apart = score[high].mean() - score[low].mean()
    assert np.log2(odds[0] / odds[1]) == pytest.approx(apart / card.halves_after, rel=0.25)


def test_the_same_observations_give_the_same_bytes(book: pd.DataFrame, card: Scorecard) -> None:
    shuffled = book.sample(frac=1, random_state=3)
    again = make_scorecard(candidates(shuffled, CANDIDATES), 8)
    assert as_yaml(model_of(again)) == as_yaml(model_of(card))


def test_resamplings_say_how_far_points_move(book: pd.DataFrame, card: Scorecard) -> None:
    among = candidates(book, CANDIDATES)
    found = resample(among, 8, resamplings=10)
    assert found == resample(among, 8, resamplings=10)
    for each in card.metrics:
        assert found[each.metric].chosen == 1
        assert found[each.metric].low <= each.most + 10
        assert found[each.metric].high >= each.most - 10


def test_a_metric_that_few_resamplings_choose_is_left_out_and_says_so(book: pd.DataFrame, card: Scorecard) -> None:
    among = candidates(book, CANDIDATES)
    chosen = [each.metric for each in card.metrics]
    often, seldom = Stability(0.9, 30, 70), Stability(0.2, 5, 20)
    assert stable(among, dict.fromkeys(chosen, often), chosen) is among
    one, other = chosen
    left = stable(among, {one: often, other: seldom}, chosen)
    assert left.names == (one,)
    assert left.left_out[other] == "chosen in 20% of the resamplings, and 33% are needed"
    assert [each.metric for each in make_scorecard(left, 8).metrics] == [one]


def test_bands_are_cut_where_departures_become_more_frequent() -> None:
    random = np.random.default_rng(2)
    score = np.repeat([10.5, 40.0, 70.0, 95.0], [800, 800, 2000, 4000])
    outcome = random.random(len(score)) < np.repeat([0.4, 0.2, 0.08, 0.01], [800, 800, 2000, 4000])
    bands = cut_bands(score, outcome, np.arange(len(score)))
    assert [(band["band"], band["severity"]) for band in bands] == [
        ("Green", 0), ("Yellow", 1), ("Orange", 2), ("Red", 3),
    ]  # fmt: skip
    bounds = [float(band["from"]) for band in bands]
    assert bounds == sorted(bounds, reverse=True)
    assert 70 < bounds[0] <= 95
    assert 40 < bounds[1] <= 70
    assert 10 < bounds[2] <= 40
    assert bounds[3] == 0


def test_a_band_of_a_handful_of_accounts_is_none() -> None:
    score = np.repeat([5.0, 90.0], [10, 2000])
    outcome = np.concatenate([np.ones(10, bool), np.arange(2000) % 50 == 0])
    assert len(cut_bands(score, outcome, np.arange(2010))) == 1


def test_a_score_that_tells_nothing_has_one_band() -> None:
    random = np.random.default_rng(3)
    bands = cut_bands(random.uniform(0, 100, 3000), random.random(3000) < 0.1, np.arange(3000))
    assert len(bands) == 1
    assert bands[0]["from"] == 0
