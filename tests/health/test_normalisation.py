"""The four forms of points: what they give at their ends, between them, and outside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cs_pipeline.health.normalisation import DaysSince, Form, Linear, Normalisation, PointsRow, PointsTable, Target

NUMBERS = st.floats(-1_000, 1_000)


def points(form: Normalisation, *values: float, most: float = 10) -> list[float]:
    return form.points(np.array(values), most).tolist()


def test_a_line_gives_nothing_at_one_end_and_everything_at_the_other() -> None:
    assert points(Linear(none=0, full=0.8), -1, 0, 0.4, 0.8, 2) == [0, 0, 5, 10, 10]


def test_a_line_may_fall() -> None:
    assert points(Linear(none=48, full=4), 60, 48, 26, 4, 0) == [0, 0, 5, 10, 10]


def test_a_target_gives_points_in_its_ratio() -> None:
    assert points(Target(value=20), 0, 10, 20, 40, -5) == [0, 5, 10, 10, 0]


@pytest.mark.requirement("S4-61")
def test_a_target_may_count_beyond_itself() -> None:
    assert points(Target(value=10, beyond="count"), 5, 40) == [5, 40]


def test_days_since_fall_between_their_two_days() -> None:
    assert points(DaysSince(full_until=3, none_from=30), 0, 3, 16.5, 30, 90) == [10, 10, 5, 0, 0]


def test_a_table_knows_which_row_a_value_is_in() -> None:
    table = PointsTable(rows=(PointsRow(below=2, points=0), PointsRow.model_validate({"from": 2, "points": 10})))
    assert points(table, 1.999, 2) == [0, 10]


@given(none=NUMBERS, full=NUMBERS, values=st.lists(NUMBERS, min_size=1))
def test_a_line_stays_between_nothing_and_everything_and_never_turns(
    none: float, full: float, values: list[float]
) -> None:
    if none == full:
        return
    given_points = points(Linear(none=none, full=full), *sorted(values))
    assert all(0 <= each <= 10 for each in given_points)
    rises = full > none
    assert given_points == sorted(given_points, reverse=not rises)


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({}, "got none of them"),
        ({"linear": {"none": 0, "full": 1}, "target": {"value": 1}}, "got 2 of them"),
        ({"linear": {"none": 1, "full": 1}}, "expected two different values"),
        ({"target": {"value": 0}}, "greater than 0"),
        ({"days_since": {"full_until": 30, "none_from": 30}}, "expected none_from above full_until"),
    ],
)
def test_a_form_that_says_nothing_is_refused(form: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Form.model_validate(form)
