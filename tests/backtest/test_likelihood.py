"""The likelihood beside the score: from scores and what became of accounts, to what is stated in a week."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.backtest.likelihood import SCORES, Calibration, calibrate, counted, hold_against_outcomes
from cs_pipeline.backtest.measures import TooLittle


def book(rates: list[float], each: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """As many accounts in each part of the scores, of which these shares left."""
    observations, departures = np.zeros(SCORES), np.zeros(SCORES)
    for part, rate in enumerate(rates):
        score = int((part + 0.5) * 100 / len(rates))
        observations[score], departures[score] = each, round(each * rate)
    return observations, departures


def test_the_likelihood_is_what_became_of_accounts_with_such_a_score() -> None:
    found = calibrate(*book([0.4, 0.15, 0.02]))
    assert isinstance(found, Calibration)
    assert found.likelihood == pytest.approx([0.4, 0.15, 0.02], abs=0.01)
    assert (found.low < found.likelihood).all()
    assert (found.likelihood < found.high).all()
    assert list(found.step_of(np.array([0, 16.9, 49, 83.0, 100]))) == [0, 0, 1, 2, 2]


def test_a_score_that_knows_nothing_gives_everybody_the_base_rate() -> None:
    found = calibrate(*book([0.1, 0.1, 0.1]))
    assert isinstance(found, Calibration)
    assert found.likelihood == pytest.approx([0.1], abs=0.005)


def test_nothing_is_stated_where_too_few_left_and_it_says_what_would_be_enough() -> None:
    observations, departures = book([0.01, 0.01])
    found = calibrate(observations, departures)
    assert isinstance(found, TooLittle)
    assert "8 departures" in str(found)
    assert "20 are needed" in str(found)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), min_size=SCORES, max_size=SCORES).map(
        lambda each: (
            np.array([count for count, _ in each], float),
            np.array([int(count * share) for count, share in each], float),
        )
    )
)
def test_the_likelihood_never_rises_with_the_score(counts: tuple[np.ndarray, np.ndarray]) -> None:
    found = calibrate(*counts)
    if isinstance(found, Calibration):
        stated = found.likelihood[found.step_of(np.arange(SCORES, dtype=float))]
        assert (np.diff(stated) <= 1e-12).all()
        assert ((found.low <= found.likelihood) & (found.likelihood <= found.high)).all()
        assert ((found.likelihood > 0) & (found.likelihood < 1)).all()
        assert found.observations.sum() == counts[0].sum()


def looked_at(weeks: int, accounts: int, seed: int = 3) -> pd.DataFrame:
    """Accounts in weeks, which leave the oftener the lower their score."""
    random = np.random.default_rng(seed)
    score = random.uniform(0, 100, weeks * accounts)
    return pd.DataFrame(
        {
            "week": np.repeat(pd.date_range("2024-01-01", periods=weeks, freq="7D"), accounts),
            "score": score,
            "departs": random.random(len(score)) < 0.3 * (1 - score / 100) ** 2,
        }
    )


def test_likelihoods_stated_week_by_week_are_held_against_what_happened() -> None:
    found = hold_against_outcomes(looked_at(60, 120))
    assert not isinstance(found, TooLittle)
    assert found.brier < found.brier_of_base_rate
    assert found.skill > 0.03
    assert (found.table["stated"] - found.table["share"]).abs().max() < 0.05
    assert found.table["observations"].sum() == found.observations


def test_what_is_stated_learns_only_from_windows_that_had_closed() -> None:
    rows = looked_at(60, 120)
    late = rows["week"] > rows["week"].min() + pd.Timedelta(weeks=59 - 18)
    turned = rows.assign(departs=np.where(late, ~rows["departs"], rows["departs"]))
    one, two = hold_against_outcomes(rows), hold_against_outcomes(turned)
    assert not isinstance(one, TooLittle)
    assert not isinstance(two, TooLittle)
    assert (one.table["stated"] == two.table["stated"]).all()


def test_a_likelihood_of_a_fraction_is_that_of_the_whole_score_below_it() -> None:
    observations, departures = counted(np.array([63.0, 63.9, 64.0]), np.array([True, False, True]))
    assert list(observations[63:65]) == [2, 1]
    assert list(departures[63:65]) == [1, 1]
