"""Arithmetic of any model: what holds whatever the values are."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.health.library import SHIPPED, read_score_model
from cs_pipeline.health.scoring import Arithmetic, Floats
from cs_pipeline.health.selection import CONFIG_FILE, load_selection
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import Escalation, Steadiness
from tests.builders.scored_accounts import ARITHMETIC, HEALTHY, WEEKLY_POINTS, frame, metric_values

CAPS = {
    cap: Arithmetic(
        WEEKLY_POINTS.model_copy(
            update={
                "dimensions": tuple(
                    dimension.model_copy(update={"cap": cap}) if dimension.cap else dimension
                    for dimension in WEEKLY_POINTS.dimensions
                )
            }
        )
    )
    for cap in ("clip", "halve", "rescale")
}


def with_missing(policy: str) -> ScoreModel:
    text = (SHIPPED / "weekly_points.yaml").read_text(encoding="utf-8")
    definition = yaml.safe_load(text)
    for dimension in definition["dimensions"]:
        for metric in dimension["metrics"]:
            metric["missing"] = policy
    return ScoreModel.model_validate(definition)


@pytest.mark.requirement("S5-10", "C-03")
@given(values=metric_values(), cap=st.sampled_from(sorted(CAPS)))
def test_scores_stay_between_0_and_100_and_are_the_sum_of_their_contributions(values: Floats, cap: str) -> None:
    scores = CAPS[cap].score_values(values)
    scored = ~np.isnan(scores.score)
    assert ((scores.score[scored] >= 0) & (scores.score[scored] <= 100)).all()
    assert np.abs(scores.contributions.sum(axis=1)[scored] - scores.score[scored]).max(initial=0) < 1e-9
    assert (scores.contributions[~scored] == 0).all()
    assert ((scores.coverage >= 0) & (scores.coverage <= 1)).all()
    assert (scored == (scores.coverage >= 0.5)).all()
    assert (scores.points_lost >= -1e-9).all()


@given(values=metric_values(1), column=st.integers(0, 7), cap=st.sampled_from(sorted(CAPS)))
def test_more_points_in_a_known_metric_never_lower_the_score(values: Floats, column: int, cap: str) -> None:
    arithmetic = CAPS[cap]
    points = arithmetic.points(values)
    better = points.copy()
    better[0, column] = WEEKLY_POINTS.metrics[column].points if not np.isnan(points[0, column]) else np.nan
    assert arithmetic.totals(better).score[0] >= arithmetic.totals(points).score[0]


@given(values=metric_values(1), cap=st.sampled_from(sorted(CAPS)))
def test_full_points_in_all_that_is_known_are_a_score_of_100(values: Floats, cap: str) -> None:
    full = np.where(np.isnan(values), np.nan, np.array([list(HEALTHY.values())], dtype=float))
    scores = CAPS[cap].score_values(full)
    assert np.isnan(scores.score[0]) or scores.score[0] == pytest.approx(100)


@given(values=metric_values(9))
def test_an_account_has_the_same_score_to_the_last_bit_whoever_is_scored_beside_it(values: Floats) -> None:
    together = ARITHMETIC.score_values(values)
    for row in range(len(values)):
        alone = ARITHMETIC.score_values(values[row : row + 1])
        assert np.array_equal(alone.score, together.score[row : row + 1], equal_nan=True)
        assert np.array_equal(alone.contributions[0], together.contributions[row])


@pytest.mark.requirement("C-03")
def test_caps_clip_halve_and_rescale_differ_where_two_metrics_share_20_points() -> None:
    account = frame({"nps_response": 0})
    assert {cap: float(arithmetic.score(account).score[0]) for cap, arithmetic in CAPS.items()} == {
        "clip": 100.0,
        "halve": 90.0,
        "rescale": pytest.approx(100 * 100 / 120),
    }
    assert {cap: float(arithmetic.score(frame({})).points_lost[0]) for cap, arithmetic in CAPS.items()} == {
        "clip": 20.0,
        "halve": 0.0,
        "rescale": 0.0,
    }


@pytest.mark.requirement("C-13")
def test_a_model_may_count_missing_as_zero_and_coverage_still_says_it_is_missing() -> None:
    account = frame({"seat_utilisation": None, "nps_response": None, "days_to_renewal": None})
    left_out = Arithmetic(with_missing("exclude_reweight")).score(account)
    as_zero = Arithmetic(with_missing("zero")).score(account)
    assert left_out.score.tolist() == [100]
    assert as_zero.score.tolist() == [60]
    assert left_out.coverage.tolist() == as_zero.coverage.tolist() == [0.6]


def test_a_value_that_no_row_is_for_is_missing() -> None:
    scores = ARITHMETIC.score(frame({"worst_open_ticket": 7, "logged_in_7d": 0.5}))
    assert np.isnan(scores.points[0, [2, 7]]).all()


def test_no_accounts_give_no_scores() -> None:
    assert len(ARITHMETIC.score(frame().reindex(columns=list(HEALTHY)))) == 0


def test_a_frame_without_a_metric_is_refused() -> None:
    with pytest.raises(KeyError, match="nps_response"):
        ARITHMETIC.score(frame({}).drop(columns="nps_response"))


def test_the_docs_show_a_model_that_works(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "scores.md").read_text(encoding="utf-8")
    example = next(block for block in docs.split("```yaml\n") if block.startswith("model: ")).split("```")[0]
    (tmp_path / "my_points.yaml").write_text(example, encoding="utf-8")
    model = read_score_model(tmp_path / "my_points.yaml")
    account = frame({}).assign(login_frequency=0.3, ces_90d=6.0, worst_open_ticket=1.0)
    assert Arithmetic(model).score(account).score.tolist() == [30 + 20 + 10]


def test_the_docs_show_a_selection_and_steady_bands_that_work(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "scores.md").read_text(encoding="utf-8")
    blocks = {block.split(":")[0]: block.split("```")[0] for block in docs.split("```yaml\n")[1:]}
    (tmp_path / CONFIG_FILE).write_text(blocks["active"], encoding="utf-8")
    assert [model.model for model in load_selection(tmp_path).active_models] == ["five_factor", "weekly_points"]
    steady = WEEKLY_POINTS.changed(**yaml.safe_load(blocks["steadiness"]))
    assert (steady.steadiness, steady.escalation) == (
        Steadiness(steadiness=3, dwell_weeks=2, confirm_weeks=2, calendar="left_out"),
        Escalation(),
    )
