"""Weeks that were never scored are found, and asked for before the next one."""

from datetime import date

from cs_pipeline.history.holes import RETRIED_FOR, holes, holes_to_fill, last_scored
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.reports.scores.text import weeks_in_words
from cs_pipeline.warehouse.connection import Warehouse

WEEKS = [date(2025, 3, 3) + WEEK * number for number in range(8)]


def score(warehouse: Warehouse, *weeks: date) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        for week in weeks:
            cursor.execute(
                """
                insert into cs.health_scores (
                    week, account_id, model, model_version, is_active, status, coverage, metric_values, points,
                    contributions, points_lost_to_cap
                )
                values (%s, 'a', 'm', 'v', true, 'not_scored', 0, '{}', '{}', '{}', 0)
                """,
                [week],
            )


def test_holes_lie_between_the_first_scored_week_and_the_one_asked_about(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert holes(session, WEEKS[7]) == [], "nothing is scored: nothing is missing"
    score(warehouse, WEEKS[1], WEEKS[2], WEEKS[4])
    with warehouse.session() as session:
        assert holes(session, WEEKS[7]) == [WEEKS[3], WEEKS[5], WEEKS[6]]
        assert holes(session, WEEKS[4]) == [WEEKS[3]]
        assert last_scored(session, WEEKS[4]) == WEEKS[2]


def test_every_week_since_the_last_scored_one_is_asked_for_however_long_ago() -> None:
    week = date(2026, 3, 2)
    missed = [week - WEEK * number for number in range(30, 0, -1)]
    assert holes_to_fill(missed, missed[0] - WEEK, week) == [(missed[0], missed[-1])]


def test_an_older_hole_is_asked_for_again_for_a_quarter() -> None:
    week, recent = WEEKS[7], WEEKS[7] - RETRIED_FOR
    assert holes_to_fill([recent - WEEK, recent, WEEKS[5]], WEEKS[6], week) == [(recent, recent), (WEEKS[5], WEEKS[5])]


def test_holes_are_named_as_ranges() -> None:
    assert weeks_in_words([WEEKS[1], WEEKS[3], WEEKS[4]]) == "2025-03-10, 2025-03-24 to 2025-03-31"
