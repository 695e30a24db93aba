"""The shipped model, fact by fact."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from cs_pipeline.health.attribution import CAUSES, EarlierScores, attribute
from tests.builders.scored_accounts import ARITHMETIC, HEALTHY, WEEKLY_POINTS, frame, score_of

DOCS = Path(__file__).parents[2] / "docs" / "scores.md"


def points_of(metric: str, *values: float) -> list[float]:
    """What single values of a metric give."""
    scores = ARITHMETIC.score(frame(*({metric: value} for value in values)))
    return scores.points[:, WEEKLY_POINTS.metric_names.index(metric)].tolist()


@pytest.mark.requirement("S5-10")
def test_a_healthy_account_has_100_points_and_a_lost_one_5() -> None:
    assert score_of() == 100
    nothing = dict.fromkeys(HEALTHY, 0.0) | {"worst_open_ticket": 2.0}
    assert score_of(**nothing) == 5  # the renewal gives 5 however near it is


@pytest.mark.requirement("S5-11", "C-07")
def test_seats_in_use_give_points_by_the_lower_bound_of_the_unrounded_share() -> None:
    assert points_of("seat_utilisation", 1.3, 0.8, 0.7999, 0.795, 0.5, 0.4999, 0) == [20, 20, 10, 10, 10, 0, 0]


@pytest.mark.requirement("S5-12", "C-04")
def test_core_features_give_points_from_two_on() -> None:
    assert points_of("core_features_used", 4, 3, 2, 1, 0) == [20, 20, 10, 0, 0]


@pytest.mark.requirement("S5-13", "S5-14", "S5-15")
@pytest.mark.parametrize("metric", ["logged_in_7d", "opened_last_3_emails", "attended_training_ever"])
def test_each_sign_of_engagement_gives_10_points(metric: str) -> None:
    assert points_of(metric, 1, 0) == [10, 0]
    assert score_of(**{metric: 0}) == 90


@pytest.mark.requirement("S5-16", "C-06")
def test_a_nearer_renewal_gives_fewer_points_and_a_past_one_as_few_as_a_near_one() -> None:
    assert points_of("days_to_renewal", 365, 91, 90, 30, 29, 0, -20) == [20, 20, 10, 10, 5, 5, 5]


@pytest.mark.requirement("S5-17", "C-34")
def test_nps_answers_above_8_give_full_points_and_below_7_none() -> None:
    assert points_of("nps_response", 10, 8.1, 8, 7.5, 7, 6.99, 0) == [20, 20, 10, 10, 10, 0, 0]


@pytest.mark.requirement("S5-18", "C-05")
def test_only_accounts_without_any_open_ticket_have_all_support_points() -> None:
    assert points_of("worst_open_ticket", 0, 1, 2) == [10, 5, 0]


@pytest.mark.requirement("C-03")
def test_business_is_clipped_at_20_and_shows_what_was_cut_off() -> None:
    scores = ARITHMETIC.score(frame({}, {"nps_response": 0}, {"days_to_renewal": 10, "nps_response": 7}))
    assert scores.points_lost.tolist() == [20, 0, 0]
    assert scores.score.tolist() == [100, 100, 95]


@pytest.mark.requirement("S5-19", "C-07", "C-11")
def test_bands_begin_at_their_lower_bound_of_the_unrounded_score() -> None:
    bands = ARITHMETIC.bands(np.array([100, 70, 69.99, 40, 39.99, 0]))
    assert [WEEKLY_POINTS.bands[band].band for band in bands] == ["Green", "Green", "Yellow", "Yellow", "Red", "Red"]
    assert [WEEKLY_POINTS.bands[band].severity for band in bands] == [0, 0, 1, 1, 3, 3]


@pytest.mark.requirement("C-13")
def test_a_missing_metric_is_left_out_and_the_others_weigh_more() -> None:
    assert score_of(nps_response=None) == 100
    assert score_of(seat_utilisation=None, core_features_used=0) == pytest.approx(100 * 60 / 80)


@pytest.mark.requirement("C-13")
def test_an_account_of_which_less_than_half_is_known_has_no_score_and_no_band() -> None:
    half = {"seat_utilisation": None, "core_features_used": None, "logged_in_7d": None}
    scores = ARITHMETIC.score(frame(half, half | {"nps_response": None}))
    assert scores.coverage.tolist() == [0.5, 0.4]
    assert scores.score.tolist()[0] == 100
    assert np.isnan(scores.score[1])
    assert scores.band.tolist() == [0, -1]
    assert not scores.contributions[1].any()


@pytest.mark.requirement("C-12")
def test_a_renewal_that_comes_nearer_is_the_calendar_and_one_that_is_renewed_is_not() -> None:
    nearer = frame({"days_to_renewal": 92, "nps_response": 0}, {"days_to_renewal": 85, "nps_response": 0})
    near, nearest = ARITHMETIC.score(nearer).metric_values
    for before, after, cause in ((near, nearest, "calendar"), (nearest, near, "behaviour")):
        earlier = EarlierScores(WEEKLY_POINTS.metric_names, before[np.newaxis], np.zeros((1, 8)))
        drivers = attribute(ARITHMETIC, earlier, after[np.newaxis], same_version=True)
        assert CAUSES[drivers.main_cause()[0]] == cause


def table_of_docs(header: str) -> list[dict[str, str]]:
    text = DOCS.read_text(encoding="utf-8")
    lines = text[text.index(header) :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def test_the_example_of_the_docs_is_what_the_model_gives() -> None:
    table = table_of_docs("| metric | value | points | of |")
    values = {row["metric"]: float(row["value"]) if row["value"] else None for row in table}
    scores = ARITHMETIC.score(frame(values))
    assert tuple(values) == WEEKLY_POINTS.metric_names
    for column, row in enumerate(table):
        assert np.nan_to_num(scores.points[0, column], nan=-1) == float(row["points"] or -1)
        assert WEEKLY_POINTS.metrics[column].points == float(row["of"])
        assert scores.contributions[0, column] == pytest.approx(float(row["gives to the score"]), abs=0.005)
    assert scores.score[0] == pytest.approx(72.22, abs=0.005)
    assert scores.coverage[0] == pytest.approx(0.9)
    assert scores.points_lost[0] == 10

    changed = values | {"seat_utilisation": 0.48, "logged_in_7d": 0, "opened_last_3_emails": 0}
    later = ARITHMETIC.score(frame(changed))
    earlier = EarlierScores(WEEKLY_POINTS.metric_names, scores.metric_values, scores.contributions)
    drivers = attribute(ARITHMETIC, earlier, later.metric_values, same_version=True)
    told = {row["driver"]: (row["cause"], row["effect"]) for row in table_of_docs("| driver | cause | effect |")}
    assert later.score[0] == 45
    for column, metric in enumerate(drivers.metrics):
        if delta := drivers.deltas[0, column]:
            assert told.pop(metric) == (CAUSES[drivers.causes[0, column]], f"{delta:.2f}".replace("-", "−"))
    assert not told


def test_the_table_of_the_docs_names_every_metric_and_its_points() -> None:
    text = DOCS.read_text(encoding="utf-8")
    table = text[text.index("| dimension | points |") :].split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", table)) == WEEKLY_POINTS.metric_names
    points = [int(row[1]) for row in csv.reader(re.findall(r"^\| (\w+ \| \d+)", table, re.MULTILINE), delimiter="|")]
    assert points == [dimension.points for dimension in WEEKLY_POINTS.dimensions]
