"""A model with other weights is a sound model, and the same one where the weights are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.health.library import load_score_model, read_score_model, score_model_names
from cs_pipeline.health.reweighting import as_yaml, weights_of, with_weights
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from tests.builders.scored_accounts import frame, simple_model


@pytest.fixture(params=score_model_names())
def model(request: pytest.FixtureRequest) -> ScoreModel:
    """Every shipped model and variant."""
    return load_score_model(request.param)


def file_of(model: ScoreModel, folder: Path) -> Path:
    path = folder / f"{model.model}.yaml"
    path.write_text(as_yaml(model), encoding="utf-8")
    return path


def test_weights_add_up_to_the_points_of_a_score(model: ScoreModel) -> None:
    weights = weights_of(model)
    assert weights.sum() == pytest.approx(100)
    assert (weights > 0).all()


def test_a_model_is_the_same_with_its_own_weights_and_as_a_file(model: ScoreModel, tmp_path: Path) -> None:
    again = with_weights(model, weights_of(model))
    if all(dimension.cap != "rescale" for dimension in model.dimensions):  # those are written with other points
        assert again.version == model.version
    few = pd.DataFrame(np.random.default_rng(3).uniform(0, 1, (20, len(model.metrics))), columns=model.metric_names)
    few = few.round() if model.model.startswith("weekly_points") else few
    assert Arithmetic(again).score(few).score == pytest.approx(Arithmetic(model).score(few).score)
    assert read_score_model(file_of(model, tmp_path)).version == model.version


def test_other_weights_make_a_sound_model(model: ScoreModel, tmp_path: Path) -> None:
    step = 0.25
    weights = np.round(weights_of(model) / step) * step
    moved = np.where(np.arange(len(weights)) % 2, step, -step)
    moved[-1] -= (weights + moved).sum() - 100
    other = with_weights(model, weights + moved)
    assert weights_of(other) == pytest.approx(weights + moved)
    assert read_score_model(file_of(other, tmp_path)).definition == other.definition
    assert all(metric.origin == "ours" for metric in other.metrics)


def test_a_weight_is_what_a_metric_gives_at_most() -> None:
    model = load_score_model("weekly_points")
    weights = weights_of(model)
    weights[0], weights[2] = 25.0, 5.0  # seats in use, logged in within 7 days
    arithmetic = Arithmetic(with_weights(model, weights))
    full, without = arithmetic.score(frame({}, {"seat_utilisation": 0.0})).score
    assert (full, without) == (100, 75)
    assert arithmetic.score(frame({"seat_utilisation": 0.6})).score[0] == 87.5


@pytest.mark.requirement("C-03")
def test_a_metric_of_a_rescaled_dimension_weighs_what_it_gives() -> None:
    model = load_score_model("weekly_points_rescale")
    weights = dict(zip(model.metric_names, weights_of(model), strict=True))
    assert weights["nps_response"] == pytest.approx(100 / 6)
    for metric in ("nps_response", "seat_utilisation", "logged_in_7d"):
        assert Arithmetic(model).score(frame({metric: 0.0})).score[0] == pytest.approx(100 - weights[metric])


def test_weights_that_ask_a_metric_for_more_points_than_it_may_have_overlap_less() -> None:
    model = simple_model((80, {"seat_utilisation": 80, "logged_in_7d": 80}), (20, {"opened_last_3_emails": 20}))
    other = with_weights(model, [60.0, 20.0, 20.0])
    assert weights_of(other) == pytest.approx([60, 20, 20])
    assert [metric.points for metric in other.metrics] == pytest.approx([100, 100 / 3, 20])
