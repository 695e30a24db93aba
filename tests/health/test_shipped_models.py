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
from cs_pipeline.health.risk_signals import signals_of
from cs_pipeline.health.scoring import Arithmetic, Scores
from cs_pipeline.health.selection import load_selection
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
    shown = signals_of(Arithmetic(model), scored(model, **values), model.risks)
    return [sign.name for sign, is_shown in zip(model.risks, shown[0], strict=True) if is_shown]


@pytest.mark.requirement("S3-04", "S3-09", "S3-14", "C-02")
def test_usage_engagement_business_weighs_40_30_30() -> None:
    assert weights(USAGE_ENGAGEMENT_BUSINESS) == {"usage": 40, "engagement": 30, "business": 30}


@pytest.mark.requirement("S3-04", "S3-09", "S3-14")
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


def signal(requirement: str, metric: str, good: float, half: float, bad: float, points: float) -> object:
    """A signal of usage_engagement_business: values that give all of its points, half of them, and none."""
    marks = pytest.mark.requirement(requirement)
    return pytest.param(metric, (good, half, bad), points, marks=marks, id=f"{requirement} {metric}")


@pytest.mark.parametrize(
    ("metric", "values", "points"),
    [
        signal("S3-05", "login_frequency", 0.7, 0.35, 0.0, 10),
        signal("S3-06", "feature_adoption_ratio", 0.7, 0.35, 0.0, 10),
        signal("S3-07", "events_per_seat_30d", 20, 10, 0, 10),
        signal("S3-08", "days_since_last_use", 3, 16.5, 30, 10),
        signal("S3-10", "email_reply_rate_90d", 0.2, 0.1, 0.0, 7.5),
        signal("S3-11", "attended_training_90d", 1, 0.5, 0, 7.5),
        signal("S3-12", "feature_requests_90d", 1, 0.5, 0, 7.5),
        signal("S3-13", "community_posts_90d", 2, 1, 0, 7.5),
        signal("S3-15", "value_ratio", 1.0, 0.5, 0.0, 7.5),
        signal("S3-16", "usage_growth", 0.1, -0.2, -0.5, 7.5),
        signal("S3-17", "days_to_renewal", 90, 45, 0, 7.5),
        signal("S3-18", "paid_on_time_ratio_365d", 1.0, 0.75, 0.5, 7.5),
    ],
)
def test_each_signal_gives_its_points_when_it_is_good_and_none_when_it_is_bad(
    metric: str, values: tuple[float, float, float], points: float
) -> None:
    position = USAGE_ENGAGEMENT_BUSINESS.metric_names.index(metric)
    found = [scored(USAGE_ENGAGEMENT_BUSINESS, **{metric: value}) for value in values]
    assert [each.points[0, position] for each in found] == pytest.approx([points, points / 2, 0])
    assert [each.score[0] for each in found] == pytest.approx([100, 100 - points / 2, 100 - points])


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
    ("severity", "band", "from_", "looks_like", "helps"),
    [
        (
            0,
            "Green",
            80,
            "high usage frequency, feature adoption above 70 %, positive feedback, account growth, few support tickets",
            "quarterly check-ins, expansion discussions, reference requests, beta-program invites",
        ),
        (
            1,
            "Yellow",
            60,
            "moderate usage, feature adoption of 40 to 70 %, neutral feedback, a stable account, average support needs",
            "monthly check-ins, adoption campaigns, training offerings, success planning",
        ),
        (
            2,
            "Orange",
            40,
            "declining usage, feature adoption under 40 %, negative feedback, no growth, many support tickets",
            "weekly check-ins, an intervention plan, executive escalation, a recovery strategy",
        ),
        (
            3,
            "Red",
            0,
            "minimal usage, poor adoption, very negative feedback, contraction risk, excessive support",
            "daily monitoring, a rescue mission, executive involvement, retention offers",
        ),
    ],
)
def test_each_of_the_four_colours_says_what_it_looks_like_and_what_helps(
    severity: int, band: str, from_: float, looks_like: str, helps: str
) -> None:
    found = next(each for each in bands_of_set({"set": "four_band_80_60_40"}) if each["severity"] == severity)
    assert found == {"band": band, "from": from_, "severity": severity}
    assert advice(severity) == (looks_like.split(", "), helps.split(", "))


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
    shown = signals_of(arithmetic, scores, FIVE_FACTOR.opportunities)[0]
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


@pytest.mark.parametrize(
    ("risk", "limit", "values", "enough"),
    [
        pytest.param(
            "Low platform usage",
            50,
            {"login_days_30d": 0, "feature_adoption_ratio": 0, "active_automations": 4.9},
            {"active_automations": 5},
            marks=pytest.mark.requirement("S4-64"),
        ),
        pytest.param(
            "Poor engagement",
            40,
            {"email_open_rate_90d": 0, "attended_training_90d": 0, "community_posts_90d": 1},
            {"community_posts_90d": 1.25},
            marks=pytest.mark.requirement("S4-65"),
        ),
        pytest.param(
            "Low satisfaction",
            60,
            {"nps_response": 4, "csat_90d": 5.9},
            {"csat_90d": 6.1},
            marks=pytest.mark.requirement("S4-66"),
        ),
        pytest.param(
            "No growth",
            30,
            {"usage_growth": -0.5, "mrr_change_90d": -0.2, "seat_utilisation": 0.83},
            {"seat_utilisation": 0.85},
            marks=pytest.mark.requirement("S4-67"),
        ),
        pytest.param(
            "High support burden",
            50,
            {"tickets_30d": 10, "first_response_hours_30d": 48, "ticket_spike_ratio": 1.1},
            {"ticket_spike_ratio": 1},
            marks=pytest.mark.requirement("S4-68"),
        ),
    ],
)
def test_a_risk_is_named_below_its_limit_and_not_from_it_on(
    risk: str, limit: float, values: dict[str, float], enough: dict[str, float]
) -> None:
    (test,) = next(sign.when for sign in FIVE_FACTOR.risks if sign.name == risk)
    position = FIVE_FACTOR.dimension_names.index(test.of)
    below, above = (scored(FIVE_FACTOR, **each).dimension_scores[0, position] for each in (values, values | enough))
    assert limit - 3 < below < limit <= above < limit + 3
    assert risk in risks(FIVE_FACTOR, **values)
    assert risk not in risks(FIVE_FACTOR, **values | enough)


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


@pytest.mark.requirement("C-04")
def test_where_one_core_feature_counts_it_gives_10_points_and_no_other_number_changes() -> None:
    usual, generous = load_score_model("weekly_points"), load_score_model("weekly_points_one_feature")
    column = usual.metric_names.index("core_features_used")
    values = np.tile([1.0, 0, 1, 1, 1, 200, 10, 0], (5, 1))
    values[:, column] = [0, 1, 2, 3, 4]
    assert Arithmetic(usual).points(values)[:, column].tolist() == [0, 0, 10, 20, 20]
    assert Arithmetic(generous).points(values)[:, column].tolist() == [0, 10, 10, 20, 20]
    assert Arithmetic(generous).score_values(values).score.tolist() == [80, 90, 90, 100, 100]
    assert usual.version != generous.version


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
