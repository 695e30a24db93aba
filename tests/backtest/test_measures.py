"""Figures of a backtest: what they must be whatever the data."""

from itertools import product
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from cs_pipeline.backtest.design import FEWEST_ACCOUNTS
from cs_pipeline.backtest.measures import (
    Separation,
    TooLittle,
    auc_gain,
    auc_interval,
    average_precision,
    calibration,
    separation,
    shares,
    single_auc,
    top_decile_lift,
    warning_weeks,
    wilson,
)

Sample = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Outcomes of both kinds, risks with ties, and whose each row is."""
    rows = draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 9)), min_size=4, max_size=60).filter(
            lambda rows: 1 < sum(left for left, _, _ in rows) < len(rows) - 1
        )
    )
    outcome, risk, account = (np.array(column) for column in zip(*rows, strict=True))
    return outcome, risk.astype(float), account


@given(samples())
def test_auc_is_the_share_of_pairs_in_which_the_leaver_has_the_higher_risk(sample: Sample) -> None:
    outcome, risk, account = sample
    pairs = [(one > other) + 0.5 * (one == other) for one, other in product(risk[outcome], risk[~outcome])]
    assert auc_interval(outcome, risk, account).value == pytest.approx(np.mean(pairs))
    assert single_auc(outcome, risk) == pytest.approx(np.mean(pairs))


@given(samples())
def test_average_precision_is_that_of_scikit_learn(sample: Sample) -> None:
    outcome, risk, _ = sample
    assert average_precision(outcome, risk) == pytest.approx(average_precision_score(outcome, risk))


@given(samples())
def test_an_interval_holds_its_figure_and_stays_within_0_and_1(sample: Sample) -> None:
    interval = auc_interval(*sample)
    assert 0 <= interval.low <= interval.value + 1e-12
    assert interval.value - 1e-12 <= interval.high <= 1


@given(samples())
def test_where_every_row_is_an_account_the_interval_is_delongs(sample: Sample) -> None:
    outcome, risk, _ = sample
    auc = roc_auc_score(outcome, risk)
    assume(0 < auc < 1)
    above = (risk[outcome][:, None] > risk[~outcome]) + 0.5 * (risk[outcome][:, None] == risk[~outcome])
    leavers, stayers = above.mean(axis=1) - auc, above.mean(axis=0) - auc
    rows = len(risk)
    variance = (np.mean(leavers**2) / len(leavers) + np.mean(stayers**2) / len(stayers)) * rows / (rows - 1)
    gain = auc_gain(outcome, np.zeros(rows), risk, np.arange(rows))
    assert gain.high - gain.low == pytest.approx(2 * 1.959964 * sqrt(variance), rel=1e-6, abs=1e-9)


@given(samples(), st.integers(2, 5))
def test_looking_more_often_at_the_same_accounts_makes_nobody_surer(sample: Sample, times: int) -> None:
    often = auc_interval(*(np.tile(column, times) for column in sample))
    once = auc_interval(*sample)
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


@given(samples())
def test_the_opposite_risk_has_the_opposite_auc(sample: Sample) -> None:
    outcome, risk, account = sample
    one, other = auc_interval(outcome, risk, account), auc_interval(outcome, -risk, account)
    assert (other.value, other.low, other.high) == pytest.approx((1 - one.value, 1 - one.high, 1 - one.low))


@given(samples())
def test_a_risk_gains_nothing_over_itself(sample: Sample) -> None:
    outcome, risk, account = sample
    gain = auc_gain(outcome, risk, 3 * risk + 1, account)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0, 0, 0), abs=1e-9)


@given(samples())
def test_lift_is_bounded_and_does_not_depend_on_the_order_of_rows(sample: Sample) -> None:
    outcome, risk, _ = sample
    lift = top_decile_lift(outcome, risk)
    assert -1e-9 <= lift <= min(10, 1 / outcome.mean()) + 1e-9
    order = np.argsort(risk + outcome / 100)
    assert top_decile_lift(outcome[order], risk[order]) == pytest.approx(lift)


def test_lift_of_a_risk_that_says_nothing_is_1() -> None:
    assert top_decile_lift(np.arange(50) < 9, np.zeros(50)) == pytest.approx(1)


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_wilson_interval_holds_the_share_and_narrows_with_more_data(successes: int, total: int) -> None:
    assume(successes <= total)
    low, high = wilson(successes, total)
    assert 0 <= low <= successes / total <= high <= 1
    narrower = wilson(10 * successes, 10 * total)
    assert narrower[1] - narrower[0] < high - low


def test_a_wilson_interval_as_published() -> None:
    assert wilson(10, 20) == pytest.approx((0.299, 0.701), abs=5e-4)


def test_with_too_few_who_left_or_stayed_there_is_no_figure() -> None:
    few, many = FEWEST_ACCOUNTS - 1, FEWEST_ACCOUNTS
    for left, stayed, words in ((few, many, "only 19 accounts left"), (many, few, "only 19 accounts stayed")):
        outcome = np.repeat([True, False], [left, stayed])
        answer = separation(outcome, outcome.astype(float), np.arange(left + stayed))
        assert isinstance(answer, TooLittle)
        assert words in answer.reason


def test_an_account_that_is_seen_often_counts_once_towards_enough() -> None:
    outcome = np.repeat([True, False], [100, 100])
    answer = separation(outcome, outcome.astype(float), np.r_[np.zeros(100), np.arange(1, 101)])
    assert answer == TooLittle("only 1 account left, and 20 are needed")


def test_rows_without_a_risk_do_not_count() -> None:
    outcome = np.repeat([True, False], [30, 30])
    risk = np.where(np.arange(60) % 3 == 0, np.nan, np.arange(60) % 7)
    answer = separation(outcome, risk, np.arange(60))
    assert isinstance(answer, Separation)
    assert (answer.observations, answer.departures, answer.base_rate) == (40, 20, 0.5)


@given(samples())
@example((np.array([False, False, True, True]), np.zeros(4), np.zeros(4, int)))
def test_tenths_and_groups_hold_every_observation_once(sample: Sample) -> None:
    outcome, risk, account = sample
    for table in (
        calibration(pd.Series(outcome), pd.Series(risk)),
        shares(pd.Series(outcome), pd.Series(account)),
    ):
        assert table["observations"].sum() == len(outcome)
        assert table["departures"].sum() == outcome.sum()
        assert (table["low"] <= table["share"]).all()
        assert (table["share"] <= table["high"]).all()


def test_warning_counts_from_the_turn_that_lasted() -> None:
    rows = pd.DataFrame(
        [
            ("lasting", 24, False), ("lasting", 17, True), ("lasting", 10, True), ("lasting", 3, True),
            ("relapsed", 24, True), ("relapsed", 17, False), ("relapsed", 10, True), ("relapsed", 3, True),
            ("recovered", 17, True), ("recovered", 10, True), ("recovered", 3, False),
        ],
        columns=["account", "days_left", "is_warned"],
    )  # fmt: skip
    weeks = warning_weeks(rows["account"], rows["days_left"], rows["is_warned"])
    assert weeks.to_dict() == {"lasting": 2, "relapsed": 1, "recovered": 0}
