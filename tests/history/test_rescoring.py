"""Another version of a model beside what counts: all that counts stays, and consumers say what they read."""

from datetime import date, timedelta

import psycopg2
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import selection_of
from cs_pipeline.health.steadiness import Steadiness
from cs_pipeline.history.rescoring import rescore
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.reports.scores.queries import model_versions
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS

STRICT = WEEKLY_POINTS.changed(coverage_floor=0.9)
"""Another version of the same model."""
WEEKS = [week(number) for number in range(3)]
COUNTS = "select active_scores::text from cs.active_scores order by 1"


@pytest.fixture
def scored(marts: Warehouse) -> Warehouse:
    """Three scored weeks of two accounts, one of which is not known well."""
    for number in range(3):
        add_account_week(marts, "a", number, seat_utilisation=0.3 * number)
        add_account_week(marts, "b", number, opened_last_3_emails=None, nps_response=None, tier="enterprise")
    score_weeks(marts, selection_of(WEEKLY_POINTS), WEEKS, Scope())
    return marts


def scores_of(warehouse: Warehouse, version: str) -> list[tuple[object, ...]]:
    return rows(
        warehouse,
        "select week, account_id, status, is_active from cs.health_scores "
        f"where (model, model_version) = ('weekly_points', '{version}') order by 1, 2",
    )


def test_a_rescored_version_stands_beside_what_counts_and_changes_none_of_it(scored: Warehouse) -> None:
    before = rows(scored, COUNTS)
    done = rescore(scored, STRICT, week(0), week(2), Scope())
    assert [each.by_model["weekly_points"].accounts for each in done] == [2, 2, 2]
    assert rows(scored, COUNTS) == before
    assert scores_of(scored, STRICT.version) == [
        (each, account, status, False) for each in WEEKS for account, status in (("a", "scored"), ("b", "not_scored"))
    ]
    assert len(scores_of(scored, WEEKLY_POINTS.version)) == 6


def test_rescoring_again_gives_the_same_rows_and_for_a_segment_only_its_own(scored: Warehouse) -> None:
    rescore(scored, STRICT, week(0), week(2), Scope(segment="enterprise"))
    assert {account for _, account, *_ in scores_of(scored, STRICT.version)} == {"b"}
    rescore(scored, STRICT, week(0), week(2), Scope())
    everything = "select health_scores::text from cs.health_scores order by 1"
    first = rows(scored, everything)
    rescore(scored, STRICT, week(0), week(2), Scope())
    assert rows(scored, everything) == first


def test_what_counts_is_not_written_again_even_by_its_own_version_or_in_a_week_without_events(
    scored: Warehouse,
) -> None:
    score_weeks(scored, selection_of(STRICT), [week(1)], Scope())
    for number in (1, 2):
        add_account_week(scored, "a", number, events_7d=0, seat_utilisation=0)
        add_account_week(scored, "b", number, events_7d=0, tier="enterprise")
    add_account_week(scored, "a", 0, events_7d=5, seat_utilisation=0)
    before = rows(scored, COUNTS)
    done = rescore(scored, STRICT, week(0), week(2), Scope())
    assert [each.by_model["weekly_points"].accounts for each in done] == [2, 0, 2]
    assert rows(scored, COUNTS) == before
    assert {active for each, _, _, active in scores_of(scored, STRICT.version) if each == week(1)} == {True}


def test_a_rescored_model_that_looks_back_remembers_its_own_weeks(scored: Warehouse) -> None:
    steady = WEEKLY_POINTS.changed(steadiness=Steadiness(confirm_weeks=2))
    rescore(scored, steady, week(0), week(2), Scope())
    told = f"select weeks_in_band from cs.health_scores where model_version = '{steady.version}' and account_id = 'b'"
    assert rows(scored, f"{told} order by week") == [(1,), (2,), (3,)]


def test_a_consumer_that_asks_for_a_version_that_never_scored_gets_an_error_not_nothing(scored: Warehouse) -> None:
    one = f"select week, account_id, status, is_active from cs.scores_of('weekly_points', '{WEEKLY_POINTS.version}')"
    assert rows(scored, f"{one} order by 1, 2") == scores_of(scored, WEEKLY_POINTS.version)
    with pytest.raises(psycopg2.errors.RaiseException, match="no week was ever scored by version 123 of the model m"):
        rows(scored, "select * from cs.scores_of('m', '123')")


def test_all_versions_are_listed_with_their_weeks_and_how_many_rows_count(scored: Warehouse) -> None:
    rescore(scored, STRICT, week(1), week(2), Scope())
    listed = model_versions(scored)[["version", "first_week", "last_week", "weeks", "rows", "counts_in", "mean_score"]]
    versions = {version: values for version, *values in listed.itertuples(index=False)}
    assert versions[WEEKLY_POINTS.version][:5] == [week(0), week(2), 3, 6, 6]
    assert versions[STRICT.version][:5] == [week(1), week(2), 2, 4, 0]


@pytest.mark.parametrize(
    ("first", "last", "complaint"),
    [
        (week(0), week(3), "The marts have the weeks 2024-01-01 to 2024-01-15; build 2024-01-01 to 2024-01-22 first"),
        (week(1), week(0), "lies before the first"),
        (week(0) + timedelta(days=1), week(1), "a Tuesday"),
    ],
)
def test_weeks_that_cannot_be_rescored_are_refused(scored: Warehouse, first: date, last: date, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        rescore(scored, STRICT, first, last, Scope())
