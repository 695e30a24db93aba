"""The words that people read about scores."""

import numpy as np
import pytest

from cs_pipeline.health.explanation import Change, Driver, Values, explain_change, explain_score, value_in_words
from tests.builders.scored_accounts import ARITHMETIC, HEALTHY, WEEKLY_POINTS, frame


def explained(values: Values) -> str:
    """Words for values, with the score and band that they give."""
    scores = ARITHMETIC.score(frame({**dict.fromkeys(HEALTHY), **values}))
    if np.isnan(scores.score[0]):
        return explain_score(ARITHMETIC, values, None, None)
    return explain_score(ARITHMETIC, values, float(scores.score[0]), WEEKLY_POINTS.bands[int(scores.band[0])].band)


def test_a_score_says_what_holds_it_back_and_what_is_not_known() -> None:
    values = HEALTHY | {"core_features_used": 1, "seat_utilisation": 0.755, "opened_last_3_emails": None}
    assert explained(values) == (
        "Score 66.7 (Yellow). Held back by core features in use 1 (0 of 20 points) and "
        "seats in use 75.5 % (10 of 20 points). Not known: opened the last 3 e-mails."
    )


def test_a_full_score_has_nothing_to_gain() -> None:
    assert explained(HEALTHY) == "Score 100 (Green). Nothing holds it back."


@pytest.mark.requirement("C-03")
def test_what_a_cap_cuts_off_anyway_does_not_hold_a_score_back() -> None:
    assert "NPS" not in explained(HEALTHY | {"nps_response": 0})


@pytest.mark.requirement("C-13")
def test_too_little_data_is_said_instead_of_a_score() -> None:
    words = explained({"seat_utilisation": 0.9})
    assert words.startswith("Not scored: only 20% of the data is there. Not known: core features in use, ")


def test_a_change_names_its_largest_drivers_with_values_and_causes() -> None:
    change = Change(
        72.0,
        45.04,
        "Green",
        "Yellow",
        (
            Driver("seat_utilisation", -10.0, "behaviour", 0.82, 0.615),
            Driver("days_to_renewal", -10.0, "calendar", 93, 86),
            Driver("nps_response", -5.0, "missing_data", 9, None),
            Driver("worst_open_ticket", -1.0, "behaviour"),
            Driver("logged_in_7d", -0.96, "behaviour"),
        ),
    )
    assert explain_change(change) == (
        "Score fell from 72 (Green) to 45 (Yellow): seats in use 82 % → 61.5 % (−10), "
        "days to renewal 93 days → 86 days (−10, by the calendar), "
        "NPS answer 9 of 10 → unknown (−5, data appeared or went missing), 2 smaller (−2)."
    )


def test_a_new_version_is_named_as_what_moved_the_score() -> None:
    change = Change(50, 60, "Yellow", "Yellow", (Driver("nps_response", 10, "model_version", 9, 9),))
    assert explain_change(change) == (
        "Score rose from 50 (Yellow) to 60 (Yellow): NPS answer (+10, new version of the score model)."
    )


def test_first_lost_and_steady_scores_have_words_of_their_own() -> None:
    assert explain_change(Change(None, 38.89, None, "Red")) == "First score: 38.9 (Red)."
    assert explain_change(Change(38.89, None, "Red", None)) == "No longer scored, too little data; was 38.9 (Red)."
    assert explain_change(Change(50, 50, "Yellow", "Good")) == "Score stayed at 50 (Good)."


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("seat_utilisation", 0.5, "50 %"),
        ("logged_in_7d", 0, "no"),
        ("worst_open_ticket", 1, "not critical"),
        ("days_to_renewal", 1, "1 day"),
        ("days_to_renewal", -12, "−12 days"),
        ("events_30d", 12345, "12,345"),
        ("nps_response", float("nan"), "unknown"),
        ("usage_growth", -0.0001, "0 %"),
    ],
)
def test_values_carry_their_unit(metric: str, value: float, words: str) -> None:
    assert value_in_words(metric, value) == words
