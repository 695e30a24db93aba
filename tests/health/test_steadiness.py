"""Bands that do not flicker: steadiness, dwell, confirmation, escalation."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.health.library import load_score_model, score_model_names
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.steadiness import NO_BAND, Escalation, Standing, Steadiness, bands_of, escalate, settle
from cs_pipeline.health.weekly import Override, weekly_scores
from tests.builders.scored_accounts import HEALTHY, WEEKLY_POINTS, frame

BOUNDS = np.array([70.0, 40.0, 0.0])
GREEN, YELLOW, RED = range(3)


def bands(steadiness: Steadiness, *scores: float) -> list[int]:
    """The band of one account after each of several weeks."""
    standing, told = Standing.nowhere(1), list[int]()
    for score in scores:
        standing = settle(steadiness, BOUNDS, np.array([score]), standing)
        told.append(int(standing.band[0]))
    return told


def test_a_score_must_pass_the_bound_by_the_hysteresis() -> None:
    steady = Steadiness(steadiness=3)
    assert bands(steady, 71, 68, 66.9, 72, 73) == [GREEN, GREEN, YELLOW, YELLOW, GREEN]


def test_a_fall_through_two_bands_is_one_step() -> None:
    assert bands(Steadiness(steadiness=3), 90, 10) == [GREEN, RED]


def test_a_new_band_must_be_confirmed_week_after_week() -> None:
    steady = Steadiness(confirm_weeks=3)
    assert bands(steady, 80, 60, 60, 75, 60, 60, 60) == [GREEN] * 6 + [YELLOW]


def test_an_account_stays_for_its_dwell_weeks() -> None:
    assert bands(Steadiness(dwell_weeks=3), 80, 60, 60, 60) == [GREEN, GREEN, GREEN, YELLOW]


def test_an_account_without_a_score_has_no_band_and_starts_again() -> None:
    assert bands(Steadiness(confirm_weeks=2), 80, np.nan, 60) == [GREEN, NO_BAND, YELLOW]


@given(scores=st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_a_model_that_asks_for_nothing_follows_its_scores(scores: list[float]) -> None:
    assert bands(Steadiness(), *scores) == bands_of(BOUNDS, np.array(scores)).tolist()


@given(
    scores=st.lists(st.floats(0, 100), min_size=1, max_size=20),
    steadiness=st.floats(0, 30),
    dwell=st.integers(1, 5),
    confirm=st.integers(1, 5),
)
def test_steadiness_never_crosses_more_bounds(scores: list[float], steadiness: float, dwell: int, confirm: int) -> None:
    steady = Steadiness(steadiness=steadiness, dwell_weeks=dwell, confirm_weeks=confirm)

    def crossed(told: list[int]) -> int:
        """Bounds of bands; a fall through two of them may take two steps where steadiness holds it for a while."""
        return sum(abs(before - after) for before, after in pairwise(told))

    assert crossed(bands(steady, *scores)) <= crossed(bands(Steadiness(), *scores))


@given(scores=st.lists(st.floats(0, 100), min_size=2, max_size=8), confirm=st.integers(1, 4))
def test_a_score_that_stays_where_it_is_wins_in_the_end(scores: list[float], confirm: int) -> None:
    steady = Steadiness(confirm_weeks=confirm, dwell_weeks=confirm)
    told = bands(steady, *scores, *[scores[-1]] * (2 * confirm))
    assert told[-1] == bands_of(BOUNDS, np.array(scores[-1:]))[0]


@pytest.mark.requirement("C-11")
@pytest.mark.parametrize(
    ("score", "weeks_in_band", "earlier", "severity"),
    [
        (60, 1, 70, 2),  # fell by ten points in four weeks
        (60, 1, 69.9, 1),
        (60, 4, np.nan, 1),  # 28 days on watch
        (60, 5, np.nan, 2),  # 35 days
    ],
)
def test_an_account_on_watch_is_at_risk_when_it_falls_or_stays(
    score: float, weeks_in_band: int, earlier: float, severity: int
) -> None:
    raised = escalate(Escalation(), np.array([1]), np.array([score]), np.array([weeks_in_band]), np.array([earlier]))
    assert raised.tolist() == [severity]


@pytest.mark.requirement("C-11")
@pytest.mark.parametrize(("days", "severity"), [(27, 2), (28, 1), (29, 1)])
def test_staying_means_more_days_than_it_says(days: int, severity: int) -> None:
    four_weeks = np.array([4])  # 28 days
    raised = escalate(Escalation(days_in_band=days), np.array([1]), np.array([60.0]), four_weeks, np.array([np.nan]))
    assert raised.tolist() == [severity]


@pytest.mark.requirement("C-11")
def test_an_escalation_says_more_than_30_days_and_10_points_in_4_weeks_unless_it_is_told_otherwise() -> None:
    usual = Escalation()
    assert (usual.from_severity, usual.to_severity) == (1, 2)
    assert (usual.days_in_band, usual.falling_points, usual.over_weeks) == (30, 10, 4)
    assert all(load_score_model(name).escalation is None for name in score_model_names())  # off in what is verbatim


def test_only_accounts_on_watch_are_escalated() -> None:
    severities = np.array([0, 3])
    fallen = escalate(Escalation(), severities, np.array([75.0, 5.0]), np.array([1, 9]), np.array([99.0, 90.0]))
    assert fallen.tolist() == [0, 3]


def test_where_only_the_calendar_is_known_bands_look_at_the_score_itself() -> None:
    model = WEEKLY_POINTS.changed(steadiness=Steadiness(calendar="left_out"), coverage_floor=0.05)
    arithmetic = Arithmetic(model)
    unknown = dict.fromkeys(HEALTHY)
    accounts = frame(unknown | {"days_to_renewal": 200}, unknown | {"days_to_renewal": 200, "logged_in_7d": 0}, unknown)
    nobody = Override(np.full(3, np.nan), np.full(3, NO_BAND))
    weekly = weekly_scores(arithmetic, arithmetic.score(accounts), Standing.nowhere(3), None, nobody)
    assert weekly.score.tolist()[0] == 100
    assert weekly.band.tolist() == [GREEN, RED, NO_BAND]
