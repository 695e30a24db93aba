"""The shipped models say what the sources say: weights, signals, numbers, bands, risks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.health.band_sets import advice, bands_of_set
from cs_pipeline.health.library import load_score_model, score_model_names
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.normalisation import Floats
from cs_pipeline.health.scoring import Arithmetic, Scores
from cs_pipeline.health.selection import load_selection
from cs_pipeline.health.signs import signs_of
from cs_pipeline.health.specification import ScoreModel

SHIPPED = [load_score_model(name) for name in score_model_names()]
USAGE_ENGAGEMENT_BUSINESS = load_score_model("usage_engagement_business")
FIVE_FACTOR = load_score_model("five_factor")
CAPPED = load_score_model("five_factor_capped")


def weights(model: ScoreModel) -> dict[str, float]:
    return {dimension.dimension: dimension.points for dimension in model.dimensions}


def metrics_of(model: ScoreModel, dimension: str) -> list[str]:
    return [metric.metric for each in model.dimensions if each.dimension == dimension for metric in each.metrics]


def scored(model: ScoreModel, **values: float) -> Scores:
    """Scores of one account that has full points but for `values`."""
    best = {metric.metric: _best(model, metric.metric) for metric in model.metrics}
    return Arithmetic(model).score(pd.DataFrame([best | values], dtype="float64"))


def _best(model: ScoreModel, name: str) -> float:
    metric = next(metric for metric in model.metrics if metric.metric == name)
    if metric.linear:
        return metric.linear.full
    return metric.target.value if metric.target else 0.0


def bands(model: ScoreModel) -> list[tuple[str, float, int]]:
    return [(band.band, band.from_, band.severity) for band in model.bands]


def risks(model: ScoreModel, **values: float) -> list[str]:
    shown = signs_of(Arithmetic(model), scored(model, **values), model.risks)
    return [sign.name for sign, is_shown in zip(model.risks, shown[0], strict=True) if is_shown]


@pytest.mark.requirement("S3-04", "S3-09", "S3-14", "C-02")
def test_usage_engagement_business_weighs_40_30_30() -> None:
    assert weights(USAGE_ENGAGEMENT_BUSINESS) == {"usage": 40, "engagement": 30, "business": 30}


@pytest.mark.requirement(
    "S3-05", "S3-06", "S3-07", "S3-08", "S3-10", "S3-11", "S3-12", "S3-13", "S3-15", "S3-16", "S3-17", "S3-18"
)
@pytest.mark.parametrize(
    ("dimension", "signals"),
    [
        ("usage", ["login_frequency", "feature_adoption_ratio", "events_per_seat_30d", "days_since_last_use"]),
        (
            "engagement",
            ["email_reply_rate_90d", "attended_training_90d", "feature_requests_90d", "community_posts_90d"],
        ),
        ("business", ["value_ratio", "usage_growth", "days_to_renewal", "paid_on_time_ratio_365d"]),
    ],
)
def test_each_dimension_has_its_four_signals_in_equal_shares(dimension: str, signals: list[str]) -> None:
    assert metrics_of(USAGE_ENGAGEMENT_BUSINESS, dimension) == signals
    (found,) = (each for each in USAGE_ENGAGEMENT_BUSINESS.dimensions if each.dimension == dimension)
    assert {metric.points for metric in found.metrics} == {found.points / 4}


@pytest.mark.requirement("C-09")
def test_what_the_sources_leave_undefined_is_marked_as_ours() -> None:
    assert {metric.origin for metric in USAGE_ENGAGEMENT_BUSINESS.metrics} == {"ours"}
    assert {metric.origin for metric in FIVE_FACTOR.metrics[:4]} == {"source"}
    assert {metric.origin for metric in FIVE_FACTOR.metrics[4:]} == {"ours"}
    assert {metric.origin for metric in load_score_model("weekly_points").metrics} == {"source"}


@pytest.mark.requirement("S3-19", "S4-63", "S5-19", "C-01")
def test_every_model_has_the_bands_of_its_source() -> None:
    assert bands(USAGE_ENGAGEMENT_BUSINESS) == [("Green", 80, 0), ("Yellow", 50, 1), ("Red", 0, 3)]
    assert bands(load_score_model("weekly_points")) == [("Green", 70, 0), ("Yellow", 40, 1), ("Red", 0, 3)]
    assert bands(FIVE_FACTOR) == [("Healthy", 80, 0), ("Stable", 60, 1), ("At Risk", 40, 2), ("Critical", 0, 3)]


@pytest.mark.requirement("C-01", "C-10")
@pytest.mark.parametrize(("score", "told"), [(72, ["Yellow", "Stable", "Green"]), (45, ["Red", "At Risk", "Yellow"])])
def test_the_same_number_means_another_band_in_another_model(score: float, told: list[str]) -> None:
    models = [USAGE_ENGAGEMENT_BUSINESS, FIVE_FACTOR, load_score_model("weekly_points")]
    assert [model.bands[int(Arithmetic(model).bands(np.array([score]))[0])].band for model in models] == told


@pytest.mark.requirement("S2-47", "C-01")
def test_any_set_of_three_bands_may_have_the_words_good_average_poor() -> None:
    for name in ("three_band_70_40", "three_band_80_50"):
        words = [band["band"] for band in bands_of_set({"set": name, "names": "good_average_poor"})]
        assert words == ["Good", "Average", "Poor"]
    with pytest.raises(ValueError, match="3 words for the 4 bands"):
        bands_of_set({"set": "four_band_80_60_40", "names": "good_average_poor"})


@pytest.mark.requirement("S4-69", "S4-70", "S4-71", "S4-72", "S4-73", "S4-74", "S4-75", "S4-76")
@pytest.mark.parametrize(
    ("severity", "band", "sign", "help_"),
    [
        (0, "Green", "feature adoption above 70 %", "quarterly check-ins"),
        (1, "Yellow", "neutral feedback", "monthly check-ins"),
        (2, "Orange", "declining usage", "executive escalation"),
        (3, "Red", "excessive support", "retention offers"),
    ],
)
def test_each_of_the_four_colours_says_what_it_looks_like_and_what_helps(
    severity: int, band: str, sign: str, help_: str
) -> None:
    colours = {each["severity"]: each["band"] for each in bands_of_set({"set": "four_band_80_60_40"})}
    looks_like, helps = advice(severity)
    assert colours[severity] == band
    assert sign in looks_like
    assert help_ in helps


@pytest.mark.requirement("S4-58", "S4-59", "C-02")
def test_five_factors_weigh_30_25_20_15_10_and_sum_to_the_score() -> None:
    assert weights(FIVE_FACTOR) == {"usage": 30, "engagement": 25, "satisfaction": 20, "growth": 15, "support": 10}
    scores = scored(FIVE_FACTOR, login_days_30d=0, nps_response=4, usage_growth=-0.5, tickets_30d=10)
    components = dict(zip(FIVE_FACTOR.dimension_names, scores.dimension_scores[0], strict=True))
    assert components == pytest.approx(
        {"usage": 75, "engagement": 100, "satisfaction": 75, "growth": 100 * 2 / 3, "support": 75}
    )
    total = sum(components[name] * weight / 100 for name, weight in weights(FIVE_FACTOR).items())
    assert scores.score[0] == pytest.approx(total)


@pytest.mark.requirement("S4-60", "S4-62")
def test_a_score_comes_with_category_breakdown_risks_and_opportunities() -> None:
    scores = scored(FIVE_FACTOR)
    arithmetic = Arithmetic(FIVE_FACTOR)
    assert FIVE_FACTOR.bands[int(scores.band[0])].band == "Healthy"
    assert scores.dimension_scores.shape == (1, 5)
    shown = signs_of(arithmetic, scores, FIVE_FACTOR.opportunities)[0]
    assert [sign.name for sign, there in zip(FIVE_FACTOR.opportunities, shown, strict=True) if there] == [
        "More seats",
        "Ready for a reference",
    ]


@pytest.mark.requirement("S4-61")
def test_usage_is_the_sum_of_four_ratios_times_25() -> None:
    scores = scored(
        FIVE_FACTOR, login_days_30d=10, feature_adoption_ratio=0.4, campaigns_sent_30d=5, active_automations=1
    )
    assert scores.dimension_scores[0, 0] == pytest.approx(min(100, (0.5 + 0.4 + 0.5 + 0.2) * 25))


@pytest.mark.requirement("S4-61", "C-08")
def test_forty_campaigns_hide_an_account_without_logins_and_the_risk_says_so() -> None:
    hidden = {"login_days_30d": 0, "feature_adoption_ratio": 0, "campaigns_sent_30d": 40, "active_automations": 0}
    assert scored(FIVE_FACTOR, **hidden).dimension_scores[0, 0] == 100
    assert "Usage hides a gap" in risks(FIVE_FACTOR, **hidden)
    assert scored(CAPPED, **hidden).dimension_scores[0, 0] == 25
    assert "Low platform usage" in risks(CAPPED, **hidden)


@pytest.mark.requirement("S4-64", "S4-65", "S4-66", "S4-67", "S4-68")
@pytest.mark.parametrize(
    ("risk", "limit", "values"),
    [
        (
            "Low platform usage",
            50,
            {"login_days_30d": 0, "feature_adoption_ratio": 0, "active_automations": 4.9},
        ),
        ("Poor engagement", 40, {"email_open_rate_90d": 0, "attended_training_90d": 0, "community_posts_90d": 1}),
        ("Low satisfaction", 60, {"nps_response": 4, "csat_90d": 4}),
        ("No growth", 30, {"usage_growth": -0.5, "mrr_change_90d": -0.2, "seat_utilisation": 0.8}),
        ("High support burden", 50, {"tickets_30d": 10, "first_response_hours_30d": 48, "ticket_spike_ratio": 1.1}),
    ],
)
def test_a_risk_is_named_below_its_limit_and_not_above(risk: str, limit: float, values: dict[str, float]) -> None:
    test = next(sign.when[0] for sign in FIVE_FACTOR.risks if sign.name == risk)
    assert test.below == limit
    position = FIVE_FACTOR.dimension_names.index(test.of)
    is_below = scored(FIVE_FACTOR, **values).dimension_scores[0, position] < limit
    assert (risk in risks(FIVE_FACTOR, **values)) == is_below
    assert risk not in risks(FIVE_FACTOR)


@pytest.mark.requirement("C-14", "C-15", "C-16")
def test_models_choose_their_own_reading_of_adoption_email_training_and_support() -> None:
    weekly = load_score_model("weekly_points").metric_names
    assert {"core_features_used", "opened_last_3_emails", "attended_training_ever", "worst_open_ticket"} <= set(weekly)
    assert {"feature_adoption_ratio", "email_reply_rate_90d"} <= set(USAGE_ENGAGEMENT_BUSINESS.metric_names)
    assert {"feature_adoption_ratio", "attended_training_90d", "ticket_spike_ratio"} <= set(FIVE_FACTOR.metric_names)
    assert {"open_noncritical_tickets", "open_critical_tickets", "tickets_30d"} <= set(METRICS)


@pytest.mark.requirement("C-03")
def test_the_variants_differ_in_what_the_cap_does() -> None:
    caps = {
        name: load_score_model(name).dimensions[2].cap
        for name in ("weekly_points", "weekly_points_halve", "weekly_points_rescale")
    }
    assert list(caps.values()) == ["clip", "halve", "rescale"]
    assert len({load_score_model(name).version for name in caps}) == 3


@pytest.mark.requirement("C-02")
def test_weekly_points_counts_and_the_others_are_computed_beside_it() -> None:
    selection = load_selection()
    assert [model.model for model in selection.active_models] == ["weekly_points"]
    assert {model.model for model in selection.models} == {
        "weekly_points",
        "usage_engagement_business",
        "five_factor",
        "five_factor_capped",
    }


def values_for(model: ScoreModel, seed: int, accounts: int = 50) -> Floats:
    """Any values of a model's metrics within what they can be, each possibly missing: (accounts, m)."""
    chance = np.random.default_rng(seed)
    limits = {"ratio": 2, "flag": 1, "level": 2, "ten": 10, "days": 400, "hours": 100}
    values = np.empty((accounts, len(model.metrics)))
    for column, metric in enumerate(model.metrics):
        low = -1 if metric.metric in ("usage_growth", "mrr_change_90d", "days_to_renewal") else 0
        values[:, column] = chance.uniform(low, limits.get(metric.unit, 50), accounts)
        if metric.unit in ("flag", "level"):
            values[:, column] = np.round(values[:, column])
    values[chance.random(values.shape) < chance.random()] = np.nan
    return values


SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.model)
@given(seed=SEEDS)
def test_scores_stay_in_bounds_and_points_sum_to_them(model: ScoreModel, seed: int) -> None:
    scores = Arithmetic(model).score_values(values_for(model, seed))
    is_scored = ~np.isnan(scores.score)
    assert ((scores.score[is_scored] >= 0) & (scores.score[is_scored] <= 100)).all()
    sums = scores.contributions.sum(axis=1)
    assert np.abs(sums[is_scored] - scores.score[is_scored]).max(initial=0) < 1e-9
    assert (sums[~is_scored] == 0).all()


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.model)
@given(seed=SEEDS)
def test_more_points_in_a_metric_never_lower_the_score(model: ScoreModel, seed: int) -> None:
    arithmetic = Arithmetic(model)
    points = arithmetic.points(values_for(model, seed))
    column = seed % len(model.metrics)
    better = points.copy()
    better[:, column] = np.maximum(better[:, column], model.metrics[column].points)
    before, after = arithmetic.totals(points).score, arithmetic.totals(better).score
    is_known = ~np.isnan(points[:, column])
    assert (after[is_known] >= before[is_known] - 1e-9).all()
