"""What can be learned from the same metrics, and the reason where a baseline learned nothing."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.backtest.baselines import BASELINES, BOOSTING, LOGISTIC, SINGLE, Risks, Split, risks
from cs_pipeline.backtest.comparison import backtest
from cs_pipeline.backtest.design import BeforeRenewals, Design
from cs_pipeline.backtest.measures import DidNotLearn, Separation, single_auc
from cs_pipeline.health.library import load_score_model
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import insert, week
from tests.builders.observed_marts import WEEKS

MODEL = load_score_model("weekly_points")
USE, TICKETS = "seat_utilisation", "open_tickets"


def split_of(train: dict[str, np.ndarray], test: dict[str, np.ndarray], departs: np.ndarray) -> Split:
    """The earlier part and the later one, of as many accounts."""

    def part(metrics: dict[str, np.ndarray]) -> pd.DataFrame:
        return pd.DataFrame({"account_id": np.arange(len(departs)).astype(str), "departs": departs, **metrics})

    return Split(pd.Timestamp(2024, 1, 1), part(train), part(test))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def departs() -> np.ndarray:
    return np.arange(400) < 100


def test_the_best_single_metric_of_the_earlier_part_is_a_baseline_with_its_direction(
    random: np.random.Generator, departs: np.ndarray
) -> None:
    use = random.normal(size=400) - departs
    metrics = {USE: np.where(random.random(400) < 0.1, np.nan, use), TICKETS: random.normal(size=400)}
    found = risks(split_of(metrics, metrics, departs), list(metrics))
    assert list(found) == list(BASELINES)
    best = found[SINGLE]
    assert isinstance(best, Risks)
    assert best.learned == "seats in use"
    assert single_auc(departs, best.values) > 0.65
    assert not np.isnan(best.values).any()


def test_a_risk_beyond_all_that_was_seen_still_ranks(random: np.random.Generator, departs: np.ndarray) -> None:
    """Probabilities of far extrapolations all round to 1, and made of a baseline that knows an AUC of exactly 0.5."""
    train = {USE: random.normal(size=400) - 4 * departs}
    test = {USE: -1000 + random.normal(size=400) - 4 * departs}
    found = risks(split_of(train, test, departs), [USE])[LOGISTIC]
    assert isinstance(found, Risks)
    assert single_auc(departs, found.values) > 0.95


def test_metrics_of_one_value_teach_nothing_and_it_is_said(departs: np.ndarray) -> None:
    metrics = {USE: np.full(400, 0.5), TICKETS: np.zeros(400)}
    found = risks(split_of(metrics, metrics, departs), list(metrics))
    assert set(map(str, found.values())) == {
        "did not learn, because in the earlier part each metric has one value for everybody"
    }


def test_noise_is_not_learned(random: np.random.Generator) -> None:
    few = np.arange(45) < 22
    found = risks(split_of({USE: np.tile([0.1, 0.2, 0.3], 15)}, {USE: random.normal(size=45)}, few), [USE])
    assert isinstance(found[BOOSTING], DidNotLearn)
    assert isinstance(found[LOGISTIC], DidNotLearn)
    assert "does not tell apart even the accounts that it learned from" in str(found[LOGISTIC])


def test_what_no_longer_differs_in_the_later_part_is_said(random: np.random.Generator, departs: np.ndarray) -> None:
    train = {USE: random.normal(size=400) - departs}
    found = risks(split_of(train, {USE: np.ones(400)}, departs), [USE])
    assert "alike for everybody in the later part" in str(found[LOGISTIC])
    assert "alike for everybody in the later part" in str(found[BOOSTING])
    assert str(found[SINGLE]).startswith("did not learn, because seats in use")


def test_a_metric_known_of_too_few_is_no_single_baseline(random: np.random.Generator, departs: np.ndarray) -> None:
    use = np.where(np.arange(400) % 20 == 0, random.normal(size=400), np.nan)
    found = risks(split_of({USE: use}, {USE: use}, departs), [USE])
    assert "known of too few accounts" in str(found[SINGLE])


def test_where_the_calendar_is_the_only_difference_nothing_separates(marts: Warehouse) -> None:
    """All accounts are alike in each week; who leaves when is chance. Nothing can foresee it, and nothing seems to."""
    random = np.random.default_rng(11)
    leaves_in = np.where(np.arange(240) < 90, random.integers(8, WEEKS - 1, 240), WEEKS + 99)
    insert(
        marts,
        "dim_accounts",
        [
            {"account_id": f"a{each}", "churned_at": week(int(left)) + timedelta(days=2) if left < WEEKS else None}
            for each, left in enumerate(leaves_in)
        ],
    )
    rows = [
        {
            "account_id": f"a{each}", "week": week(number), "tier": "pro", "cohort_month": date(2023, 1, 1),
            "seat_utilisation": float(number % 13 < 6), "core_features_used": float(number % 4),
            "logged_in_7d": float(number % 2), "attended_training_ever": float(number > WEEKS / 2),
            "worst_open_ticket": float(number % 3), "nps_response": float(number % 10),
            "days_to_renewal": float(365 - number), "opened_last_3_emails": float(number % 5 < 2),
        }
        for number in range(WEEKS)
        for each in np.flatnonzero(leaves_in > number)
    ]  # fmt: skip
    insert(marts, "fct_account_weeks", rows)
    found = backtest(marts, [MODEL], Design(week(0), week(WEEKS - 1), BeforeRenewals(4)))
    (result,) = found.models
    judged = [result.whole, result.later, *(each.separation for each in result.baselines.values())]
    for answer in judged:
        if isinstance(answer, DidNotLearn):
            continue
        assert isinstance(answer, Separation)
        assert answer.auc.low <= 0.5 <= answer.auc.high, answer
    assert isinstance(found.calendar, Separation)
    assert 0.4 < found.calendar.auc.value < 0.6
