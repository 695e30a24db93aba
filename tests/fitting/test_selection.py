"""Few metrics win: causes are in with the right sign, noise is not, and each that is not says why."""

import numpy as np
import pytest

from cs_pipeline.fitting.scorecard import make_scorecard
from cs_pipeline.fitting.selection import candidates, choose, fitted, why_left_out
from cs_pipeline.health.metrics import METRICS
from tests.builders.fitted_book import CANDIDATES, CAUSES, NOISE, observed_book

MOST = 8
PLANTED_NOISE = "amount_saved_30d"


@pytest.mark.slow(seconds=20)
def test_in_95_of_100_resamplings_a_cause_is_in_and_a_metric_of_noise_is_not() -> None:
    among = candidates(observed_book(1, accounts=1000), CANDIDATES)
    random = np.random.default_rng(2)
    accounts = among.accounts[-1] + 1
    cards = [make_scorecard(among.of_accounts(random.integers(0, accounts, accounts)), MOST) for _ in range(100)]
    chosen = [{each.metric for each in card.metrics} for card in cards]
    for cause in CAUSES:
        assert sum(cause in each for each in chosen) >= 95, cause
    assert sum(PLANTED_NOISE in each for each in chosen) <= 5
    assert sum(len(each & set(NOISE)) for each in chosen) <= 0.03 * 100 * len(NOISE)
    for card in cards:
        for each in card.metrics:
            assert list(each.points) == sorted(each.points, reverse=METRICS[each.metric].healthier == "less")


def test_of_all_noise_less_than_one_in_a_hundred_is_in() -> None:
    chosen = [choose(candidates(observed_book(seed, accounts=300), CANDIDATES), MOST).names for seed in range(10)]
    noise = sum(name in NOISE for names in chosen for name in names)
    assert noise <= 0.01 * 10 * len(NOISE)


def test_nothing_is_chosen_where_nothing_tells() -> None:
    rows = observed_book(3, accounts=300)
    rows["departs"] = rows["departs"].sample(frac=1, random_state=1).to_numpy()
    assert choose(candidates(rows, CANDIDATES), MOST).names == ()


def test_a_metric_that_restates_another_is_left_out_by_its_name() -> None:
    rows = observed_book(4)
    rows["feature_adoption_ratio"] = rows["seat_utilisation"] * 2 + 0.01 * rows["csat_90d"]
    among = candidates(rows, CANDIDATES)
    choice = choose(among, MOST)
    twins = {"seat_utilisation", "feature_adoption_ratio"}
    assert len(twins & set(choice.names)) == 1
    (other,) = twins - set(choice.names)
    assert why_left_out(other, choice, among).startswith("restates ")


def test_what_may_not_be_chosen_says_why() -> None:
    rows = observed_book(5)
    rows["mrr"] = rows["tenure_days"] = rows["departs"] * -1.0
    rows["nps_response"] = np.where(np.arange(len(rows)) % 3 == 0, rows["nps_response"], np.nan)
    rows["orders_7d"] = 1.0
    rows["overdue_amount"] = rows["departs"] * 9.0
    rows["csat_90d"] = np.where(rows["departs"], np.nan, rows["csat_90d"])
    among = candidates(rows, [*CANDIDATES, "mrr", "tenure_days"])
    assert among.left_out["tenure_days"] == "only the calendar moves it"
    assert among.left_out["mrr"] == "nobody expects more of it, or less, to be healthier"
    assert among.left_out["nps_response"] == "known in 33% of the observations, and 50% are needed"
    assert among.left_out["orders_7d"] == "has one value for everybody"
    assert among.left_out["overdue_amount"].startswith("seems to know the outcome")
    assert among.left_out["csat_90d"] == "where it is known, no account left, and 20 are needed"


def test_a_metric_that_tells_only_the_wrong_way_is_not_chosen() -> None:
    rows = observed_book(6)
    rows["seat_utilisation"] = -rows["seat_utilisation"]
    assert "seat_utilisation" not in choose(candidates(rows, CANDIDATES), MOST).names


def test_no_weight_is_negative() -> None:
    random = np.random.default_rng(7)
    told = random.normal(size=(4000, 3))
    outcome = random.random(4000) < 1 / (1 + np.exp(2 + told[:, 0] - told[:, 1]))
    weights, risk = fitted(told, outcome)
    assert weights[1] > 0.5
    assert weights[2] == 0
    assert risk.mean() == pytest.approx(outcome.mean(), abs=0.01)


def test_fewer_metrics_are_chosen_when_fewer_are_asked_for() -> None:
    among = candidates(observed_book(8), CANDIDATES)
    assert len(choose(among, 1).names) == 1
