"""One metric becomes a few steps that go one way, and that a person can read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.backtest.falling_rates import departure_rates
from cs_pipeline.fitting.steps import MOST_STEPS, UNKNOWN, cut, evidence, steps


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(4)


def test_bounds_of_bins_are_short_numbers_and_few_values_have_a_bin_each(random: np.random.Generator) -> None:
    edges = cut(random.normal(1000, 300, 5000)).edges
    assert 10 < len(edges) <= 19
    assert all(edge == float(f"{edge:.2g}") for edge in edges)
    assert cut(np.array([0.0, 1.0, 1.0, np.nan])).edges.tolist() == [1.0]
    assert len(cut(np.full(9, 3.0))) == 1


def test_missing_values_are_of_no_bin() -> None:
    assert cut(np.array([0.0, 1.0])).of(np.array([np.nan, 0.0, 0.5, 1.0, 7.0])).tolist() == [UNKNOWN, 0, 0, 1, 1]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 200)), min_size=1, max_size=20),
    st.floats(0.01, 0.9),
    st.booleans(),
)
def test_departure_rates_go_one_way_only(counts: list[tuple[int, int]], base: float, is_more: bool) -> None:
    departures = np.array([float(min(left, of)) for left, of in counts])
    observations = np.array([float(of) for _, of in counts])
    rates = departure_rates(departures, observations, base, is_more_healthier=is_more)
    change = np.diff(rates) if is_more else -np.diff(rates)
    assert (change <= 1e-12).all()
    assert ((rates > 0) & (rates < 1)).all()


def test_evidence_of_the_average_is_none() -> None:
    assert evidence(np.array([0.2]), 0.2) == pytest.approx([0.0])
    assert evidence(np.array([0.1]), 0.2)[0] > 0


def test_a_metric_that_tells_has_steps_where_it_does(random: np.random.Generator) -> None:
    values = random.uniform(0, 1, 8000)
    outcome = random.random(8000) < np.where(values < 0.3, 0.3, 0.05)
    bins = cut(values)
    found, told = steps(bins, bins.of(values), outcome, is_more_healthier=True)
    assert found.edges[0] == pytest.approx(0.3, abs=0.02)
    assert told[0] < 0 < told[1]
    assert np.ptp(told[1:]) < (told[1] - told[0]) / 2


def test_a_metric_that_tells_against_what_people_expect_has_one_step(random: np.random.Generator) -> None:
    values = random.uniform(0, 1, 8000)
    outcome = random.random(8000) < 0.05 + 0.3 * values
    bins = cut(values)
    found, told = steps(bins, bins.of(values), outcome, is_more_healthier=True)
    assert (len(found), np.ptp(told)) == (1, 0)


def test_there_are_never_more_steps_than_a_head_holds(random: np.random.Generator) -> None:
    values = random.uniform(0, 1, 60_000)
    outcome = random.random(60_000) < 0.9 - 0.85 * values
    bins = cut(values)
    found, _ = steps(bins, bins.of(values), outcome, is_more_healthier=True)
    assert len(found) == MOST_STEPS
