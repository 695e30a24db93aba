"""An account's week, told: the words go with the row, not with what would be computed today."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import selection_of
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import Steadiness
from cs_pipeline.history.changes import record_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.reports.scores.account_story import Story, tell_story
from cs_pipeline.reports.scores.queries import missing_metrics
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alerts import fire
from tests.builders.marts import add_account, add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS

STEADY = WEEKLY_POINTS.changed(steadiness=Steadiness(confirm_weeks=2))


def told(warehouse: Warehouse, model: ScoreModel = WEEKLY_POINTS) -> Story:
    """The second of two weeks of acme."""
    weeks = [week(0), week(1)]
    score_weeks(warehouse, selection_of(model), weeks, Scope())
    record_changes(warehouse, selection_of(model), weeks, Scope(), "backfill")
    return tell_story(warehouse, "acme", week(1))


@pytest.fixture
def acme(marts: Warehouse) -> Warehouse:
    """An account that falls from 100 points to 60 in its second week."""
    add_account(marts, "acme")
    add_account_week(marts, "acme", 0)
    add_account_week(marts, "acme", 1, seat_utilisation=0, core_features_used=0)
    return marts


def test_how_likely_the_account_is_to_leave_is_told_or_what_would_be_enough_to_say(acme: Warehouse) -> None:
    assert told(acme).paragraphs[-1] == (
        "How likely it is to leave is not worked out for this week: scoring it again does it."
    )
    with acme.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.score_calibrations (week, model, model_version, observations, departures)
            select distinct week, model, model_version, 100, 12 from cs.health_scores
            """
        )
    assert tell_story(acme, "acme", week(1)).paragraphs[-1] == (
        "How likely it is to leave is not stated: 12 departures in windows of 90 days that are over, and 20 are needed."
    )
    with acme.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            update cs.score_calibrations set
                observations = 400, departures = 40, score_from = '{0,70}', likelihood = '{0.2,0.03}',
                low = '{0.15,0.02}', high = '{0.26,0.05}'
            """
        )
    assert tell_story(acme, "acme", week(1)).paragraphs[-1] == (
        "Of accounts with such a score, 20.0% (15.0% to 26.0%) left within 90 days."
    )


def test_a_score_is_told_with_what_holds_it_back_and_what_changed_it(acme: Warehouse) -> None:
    story = told(acme)
    assert story.paragraphs[0].endswith(
        "Score 60 (Yellow). Held back by seats in use 0 % (0 of 20 points) and core features in use 0 (0 of 20 points)."
    )
    assert "Score fell from 100 (Green) to 60 (Yellow)" in story.paragraphs[1]
    assert story.tables["What the score is made of"]["gives_to_score"].sum() == 60


def test_a_band_that_is_kept_is_the_one_that_is_told(acme: Warehouse) -> None:
    words = told(acme, STEADY).paragraphs[0]
    assert "Score 60 (Green). By its score alone it would be Yellow: the model keeps bands steady." in words


def test_an_account_without_a_score_to_hold_is_told_without_one(marts: Warehouse) -> None:
    add_account(marts, "acme")
    add_account(marts, "bolt")
    add_account_week(marts, "bolt", 0, events_7d=9)
    for account in ("acme", "bolt"):
        add_account_week(marts, account, 1, events_7d=0)
    story = told(marts)
    assert "Not scored: the events of the week did not arrive" in story.paragraphs[0]
    assert "Score 100" not in " ".join(story.paragraphs)


def test_a_version_that_is_no_longer_read_is_told_from_its_rows(acme: Warehouse) -> None:
    usual = told(acme)
    rows(acme, """update cs.score_models set definition = '{"weights": []}' returning 1""")
    story = tell_story(acme, "acme", week(1))
    assert f"(weekly_points, version {WEEKLY_POINTS.version}): score 60.0 (Yellow)." in story.paragraphs[0]
    assert "no longer read" in story.paragraphs[0]
    assert story.paragraphs[1:] == usual.paragraphs[1:]
    for title, table in usual.tables.items():
        pd.testing.assert_frame_equal(
            story.tables[title].drop(columns="dimension", errors="ignore"),
            table.drop(columns="dimension", errors="ignore"),
        )


@pytest.mark.parametrize(
    ("account", "asked", "words"),
    [
        (
            "acme",
            date(2024, 1, 2),
            "2024-01-02 is a Tuesday; weeks are named by the Monday they start: ask for 2024-01-01",
        ),
        (
            "acme",
            week(9),
            f"'acme' has no score in the week {week(9)}: it is in scored weeks from {week(0)} to {week(1)}",
        ),
        ("nobody", week(1), "There is no account 'nobody'; give the id of an account, or its exact name"),
        ("bolt", None, "'bolt' is in no week that is scored"),
    ],
)
def test_a_story_that_is_not_there_says_what_to_ask_for(
    acme: Warehouse, account: str, asked: date | None, words: str
) -> None:
    told(acme)
    add_account(acme, "bolt")
    with pytest.raises(UserError, match=re.escape(words)):
        tell_story(acme, account, asked)


def test_what_keeps_accounts_from_a_score_is_named_with_how_many_they_are(marts: Warehouse) -> None:
    add_account(marts, "acme")
    add_account_week(marts, "acme", 0, is_known=False)
    add_account_week(marts, "bolt", 0)
    score_weeks(marts, selection_of(WEEKLY_POINTS), [week(0)], Scope())
    missing = missing_metrics(marts, week(0))
    assert set(missing["accounts"]) == {1}
    assert "core_features_used" in set(missing["metric"])
    assert missing["metric"].iloc[0] in ("core_features_used", "seat_utilisation")  # most points first


def test_alerts_of_the_week_are_told_and_in_the_newest_those_since(acme: Warehouse) -> None:
    def told_alerts(story: Story) -> list[str]:
        found = story.tables["Alerts"]
        return list(found["what"]) if len(found) else []

    newest = told(acme)
    assert told_alerts(newest) == []
    at = datetime.combine(week(1), time(6), UTC)
    day = timedelta(days=1)
    fire(acme, "invoice_overdue", "acme", "over before", measured=1, fired_at=at - 9 * day, state="resolved",
         ended_at=at - 2 * day, cause="condition")  # fmt: skip
    fire(acme, "invoice_overdue", "acme", "in it", measured=2, fired_at=at - day)
    fire(acme, "invoice_overdue", "acme", "since", measured=3, fired_at=at + 9 * day)
    fire(acme, "invoice_overdue", "acme", "held", measured=3, fired_at=at, is_held=True)
    fire(acme, "invoice_overdue", "bolt", "of another", measured=4, fired_at=at)
    in_it, since = "Invoice in it is 2 days overdue", "Invoice since is 3 days overdue"
    assert told_alerts(tell_story(acme, "acme", week(1))) == [in_it]
    assert told_alerts(tell_story(acme, "acme", None)) == [in_it, since]
