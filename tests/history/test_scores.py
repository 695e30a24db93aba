"""Scores of weeks in the warehouse: what is replaced, what stays, what readers see."""

from datetime import date

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import selection_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, remove_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS

STRICT = WEEKLY_POINTS.changed(coverage_floor=0.9)
"""Another version of the same model."""

SCORES = "select week, account_id, model_version, is_active, score from cs.health_scores order by 1, 2, 3"


def all_rows(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return rows(warehouse, "select health_scores::text from cs.health_scores order by 1")


def active(warehouse: Warehouse) -> dict[str, str]:
    """Version that counts, by account."""
    return dict(rows(warehouse, "select account_id, model_version from cs.health_scores where is_active"))


@pytest.mark.requirement("S5-10", "S5-19", "C-13")
def test_a_week_holds_a_row_for_each_account_with_its_points(marts: Warehouse) -> None:
    add_account_week(marts, "well", 0)
    add_account_week(marts, "ill", 0, seat_utilisation=0.1, core_features_used=0, nps_response=None)
    add_account_week(marts, "unknown", 0, is_known=False)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    columns = "account_id, status, score, band, severity, coverage, points_lost_to_cap"
    assert rows(marts, f"select {columns} from cs.health_scores order by 1") == [
        ("ill", "scored", 60.0, "Yellow", 1, 0.9, 0.0),
        ("unknown", "not_scored", None, None, None, 0.0, 0.0),
        ("well", "scored", 100.0, "Green", 0, 1.0, 20.0),
    ]
    points = rows(
        marts,
        "select metric, metric_value, points, max_points, contribution from cs.score_points where account_id = 'ill'",
    )
    assert points == [
        ("seat_utilisation", 0.1, 0.0, 20.0, 0.0),
        ("core_features_used", 0.0, 0.0, 20.0, 0.0),
        ("logged_in_7d", 1.0, 10.0, 10.0, 10.0),
        ("opened_last_3_emails", 1.0, 10.0, 10.0, 10.0),
        ("attended_training_ever", 1.0, 10.0, 10.0, 10.0),
        ("days_to_renewal", 200.0, 20.0, 20.0, 20.0),
        ("nps_response", None, None, 20.0, 0.0),
        ("worst_open_ticket", 0.0, 10.0, 10.0, 10.0),
    ]


def test_scoring_weeks_twice_gives_identical_rows(marts: Warehouse) -> None:
    for number in range(3):
        add_account_week(marts, "a", number, seat_utilisation=0.31 * number)
        add_account_week(marts, "b", number, opened_last_3_emails=None)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1), week(2)], Scope())
    first = all_rows(marts)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1), week(2)], Scope())
    assert all_rows(marts) == first
    assert len(first) == 6


def test_an_account_that_the_mart_no_longer_has_loses_its_row(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "b", 0)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    remove_account_week(marts, "b", 0)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    assert list(active(marts)) == ["a"]


@pytest.mark.parametrize("scope", [Scope.parse(cohort="2024-03"), Scope.parse(segment="enter'prise")])
def test_only_the_accounts_of_a_cohort_or_segment_are_replaced(marts: Warehouse, scope: Scope) -> None:
    for number in range(2):
        add_account_week(marts, "inside", number, tier="enter'prise", cohort=date(2024, 3, 1))
        add_account_week(marts, "outside", number)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1)], Scope())
    add_account_week(marts, "inside", 0, tier="enter'prise", cohort=date(2024, 3, 1), worst_open_ticket=2)
    add_account_week(marts, "outside", 0, worst_open_ticket=2)
    done = score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], scope)
    scores = "select account_id, week, score from cs.health_scores where score < 100"
    assert rows(marts, scores) == [("inside", week(0), 90.0)]
    assert [each.active.accounts for each in done] == [1]


def test_another_version_stands_beside_the_old_rows_and_is_the_one_that_counts(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "b", 0, tier="enterprise")
    old, new = WEEKLY_POINTS.version, STRICT.version
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    score_weeks(marts, selection_of(STRICT), [week(0)], Scope(segment="enterprise"))
    assert active(marts) == {"a": old, "b": new}
    assert len(rows(marts, SCORES)) == 3
    score_weeks(marts, selection_of(STRICT), [week(0)], Scope())
    assert active(marts) == {"a": new, "b": new}
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    assert active(marts) == {"a": old, "b": old}
    assert len(rows(marts, SCORES)) == 4


def test_the_definition_of_every_version_is_kept(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    for model in (WEEKLY_POINTS, STRICT, WEEKLY_POINTS):
        score_weeks(marts, selection_of(model), [week(0)], Scope())
    kept = rows(marts, "select model_version, definition from cs.score_models")
    assert {version: ScoreModel.model_validate(definition) for version, definition in kept} == {
        WEEKLY_POINTS.version: WEEKLY_POINTS,
        STRICT.version: STRICT,
    }


def test_a_week_that_fails_keeps_its_old_scores_and_the_weeks_before_it_are_done(marts: Warehouse) -> None:
    for number in range(2):
        add_account_week(marts, "a", number)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(1)], Scope())
    before = all_rows(marts)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("alter table marts.fct_account_weeks alter nps_response type text using 'unreadable'")
        cursor.execute("update marts.fct_account_weeks set nps_response = 9 where week = %s", (week(0),))
    with pytest.raises(Exception, match="unreadable"):
        score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1)], Scope())
    assert rows(marts, "select week from cs.health_scores order by 1") == [(week(0),), (week(1),)]
    assert all_rows(marts)[1:] == before


def test_a_version_that_failed_to_score_is_not_known(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("alter table marts.fct_account_weeks alter nps_response type text using 'unreadable'")
    with pytest.raises(Exception, match="unreadable"):
        score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    assert rows(marts, "select model from cs.score_models") == []


def test_readers_see_the_old_week_until_the_new_one_is_whole(marts: Warehouse) -> None:
    for number in range(2):
        add_account_week(marts, "a", number)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1)], Scope())
    for number in range(2):
        add_account_week(marts, "a", number, worst_open_ticket=2)
    seen: list[list[tuple[object, ...]]] = []

    def look(_: WeekSummary) -> None:
        seen.append(rows(marts, "select week, score from cs.health_scores where is_active order by 1"))

    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0), week(1)], Scope(), on_week=look)
    assert seen == [[(week(0), 90.0), (week(1), 100.0)], [(week(0), 90.0), (week(1), 90.0)]]


def test_the_summary_counts_bands_coverage_and_what_is_known(marts: Warehouse) -> None:
    add_account_week(marts, "well", 0)
    add_account_week(marts, "ill", 0, seat_utilisation=0.1, core_features_used=0, nps_response=None)
    add_account_week(marts, "unknown", 0, is_known=False)
    (done,) = score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    counted = done.active
    assert counted.accounts == 3
    assert dict(counted.bands) == {"Green": 1, "Yellow": 1, "Red": 0, "not_scored": 1}
    assert (counted.known["nps_response"], counted.known["seat_utilisation"]) == (1, 2)
    assert counted.coverage == pytest.approx(1.9 / 3)
    assert counted.mean_score == 80
    assert [position for position, count in enumerate(counted.distribution) if count] == [12, 19]


def test_a_week_without_accounts_is_empty(marts: Warehouse) -> None:
    (done,) = score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    assert (done.active.accounts, done.active.coverage, done.active.mean_score) == (0, None, None)


def test_marts_of_an_older_version_are_named_with_what_they_lack(marts: Warehouse) -> None:
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("alter table marts.fct_account_weeks drop column ces_90d")
    with pytest.raises(UserError, match="built by an older version, and has no ces_90d: run the weekly job"):
        score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())


def test_marts_that_are_not_built_are_named(warehouse: Warehouse) -> None:
    with pytest.raises(UserError, match=r"marts\.fct_account_weeks is not there: build the marts first"):
        score_weeks(warehouse, selection_of(WEEKLY_POINTS), [week(0)], Scope())


def test_a_cohort_that_is_no_month_is_refused() -> None:
    with pytest.raises(UserError, match="cohort is '2024-13'; expected the month of signup, as 2024-03"):
        Scope.parse(cohort="2024-13")
