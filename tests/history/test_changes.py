"""Score changes of weeks in the warehouse, and the triggers of a live week."""

from datetime import UTC, datetime

import pytest

from cs_pipeline.health.selection import selection_of
from cs_pipeline.history.changes import ChangeSummary, record_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.weeks import Origin
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS
from tests.builders.triggers import open_triggers

RENAMED = WEEKLY_POINTS.changed(
    bands=tuple(band.model_copy(update={"band": band.band.upper()}) for band in WEEKLY_POINTS.bands)
)


def run(
    warehouse: Warehouse, *numbers: int, origin: Origin = "backfill", scope: Scope | None = None
) -> list[ChangeSummary]:
    """Score weeks, record their changes and open their triggers, as the weekly job does."""
    weeks = [week(number) for number in numbers]
    score_weeks(warehouse, selection_of(WEEKLY_POINTS), weeks, scope or Scope())
    done = record_changes(warehouse, selection_of(WEEKLY_POINTS), weeks, scope or Scope(), origin)
    for each in weeks:
        open_triggers(warehouse, each)
    return done


def changes(warehouse: Warehouse, columns: str) -> list[tuple[object, ...]]:
    return rows(warehouse, f"select account_id, {columns} from cs.score_changes order by week, account_id")


def triggers(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return rows(warehouse, "select trigger_key from cs.triggers order by trigger_id")


def test_a_change_is_kept_with_the_drivers_that_sum_to_it(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "a", 1, core_features_used=0, logged_in_7d=0, opened_last_3_emails=None)
    run(marts, 0, 1)
    first, moved = rows(
        marts,
        """
        select
            previous_week, from_score, to_score, delta, from_band, to_band, from_severity, to_severity, cause,
            driver_metrics, driver_deltas, driver_causes, origin
        from cs.score_changes
        order by week
        """,
    )
    assert first == (
        None, None, 100.0, None, None, "Green", None, 0, "first_score", [], [], [], "backfill",
    )  # fmt: skip
    assert moved[:9] == (
        week(0), 100.0, pytest.approx(600 / 9), pytest.approx(600 / 9 - 100), "Green", "Yellow", 0, 1, "behaviour",
    )  # fmt: skip
    assert moved[9] == ["core_features_used", "logged_in_7d"]
    assert moved[10] == pytest.approx([-2000 / 90, -1000 / 90])
    assert moved[11:] == (["behaviour", "behaviour"], "backfill")


def test_an_account_that_stands_still_has_no_change(marts: Warehouse) -> None:
    for number in range(2):
        add_account_week(marts, "a", number, days_to_renewal=200 - 7 * number)
    (_, second) = run(marts, 0, 1)
    assert changes(marts, "cause") == [("a", "first_score")]
    assert (second.changes, second.compared) == (0, 1)


def test_a_gap_of_up_to_three_weeks_is_bridged_and_a_longer_one_is_a_first_score_again(marts: Warehouse) -> None:
    for account, numbers in (("away", (0, 4)), ("gone", (0, 5))):
        for number in numbers:
            add_account_week(marts, account, number, worst_open_ticket=2 if number else 0)
    run(marts, 0, 1, 2, 3, 4, 5)
    assert changes(marts, "week, previous_week, delta, cause") == [
        ("away", week(0), None, None, "first_score"),
        ("gone", week(0), None, None, "first_score"),
        ("away", week(4), week(0), -10.0, "behaviour"),
        ("gone", week(5), None, None, "first_score"),
    ]


def test_an_override_of_one_account_leaves_another_that_was_away_its_drivers(marts: Warehouse) -> None:
    for number in (0, 2):
        add_account_week(marts, "away", number, worst_open_ticket=2 if number else 0)
    for number in range(3):
        add_account_week(marts, "set by hand", number)
    rows(
        marts,
        f"""
        insert into cs.score_overrides (account_id, score, reason, set_by, set_at, from_week, until_week)
        values ('set by hand', 50, 'they told us', 'kim', now(), '{week(2)}', '{week(2)}')
        returning override_id
        """,
    )
    run(marts, 0, 1, 2)
    assert changes(marts, "week, delta, cause, driver_metrics")[2:] == [
        ("away", week(2), -10.0, "behaviour", ["worst_open_ticket"]),
        ("set by hand", week(2), -50.0, "override", ["override"]),
    ]


@pytest.mark.requirement("C-13")
def test_an_account_with_too_little_data_is_recorded_once_and_compared_with_its_last_score(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "a", 1, is_known=False)
    add_account_week(marts, "a", 2, is_known=False)
    add_account_week(marts, "a", 3, worst_open_ticket=2)
    run(marts, 0, 1, 2, 3, origin="live")
    assert changes(marts, "week, previous_week, from_score, to_score, to_severity, cause") == [
        ("a", week(0), None, None, 100.0, 0, "first_score"),
        ("a", week(1), week(0), 100.0, None, None, "missing_data"),
        ("a", week(3), week(0), 100.0, 90.0, 0, "behaviour"),
    ]
    assert triggers(marts) == []


def test_another_version_that_only_renames_bands_is_a_change_of_version(marts: Warehouse) -> None:
    for number in range(2):
        add_account_week(marts, "a", number)
    run(marts, 0)
    score_weeks(marts, selection_of(RENAMED), [week(1)], Scope())
    record_changes(marts, selection_of(RENAMED), [week(1)], Scope(), "backfill")
    assert changes(marts, "from_band, to_band, delta, cause, driver_metrics")[1:] == [
        ("a", "Green", "GREEN", 0.0, "model_version", [])
    ]


def test_recording_twice_gives_identical_rows(marts: Warehouse) -> None:
    for number in range(4):
        for account in "abc":
            add_account_week(marts, account, number, seat_utilisation=(number * 7 + ord(account)) % 10 / 10)
    run(marts, 0, 1, 2, 3)
    everything = "select score_changes::text from cs.score_changes order by 1"
    first = rows(marts, everything)
    run(marts, 0, 1, 2, 3)
    assert rows(marts, everything) == first
    run(marts, 1)
    assert rows(marts, everything) == first


def test_the_week_after_a_backfill_is_compared_with_what_the_backfill_wrote(marts: Warehouse) -> None:
    for number in range(3):
        add_account_week(marts, "a", number)
    run(marts, 0, 1, 2)
    add_account_week(marts, "a", 1, worst_open_ticket=2)
    done = run(marts, 1)
    assert [each.week for each in done] == [week(1)]
    assert changes(marts, "week, delta")[1:] == [("a", week(1), -10.0), ("a", week(2), 10.0)]


def test_the_week_after_a_backfill_keeps_its_changes_when_they_are_of_another_version(marts: Warehouse) -> None:
    for number in range(3):
        add_account_week(marts, "a", number, worst_open_ticket=number % 2 * 2)
    run(marts, 0, 1, 2)
    score_weeks(marts, selection_of(RENAMED), [week(1)], Scope())
    record_changes(marts, selection_of(RENAMED), [week(1)], Scope(), "backfill")
    assert changes(marts, "week, model_version, delta")[1:] == [
        ("a", week(1), RENAMED.version, -10.0),
        ("a", week(2), WEEKLY_POINTS.version, 10.0),
    ]


def test_only_the_accounts_in_scope_are_compared_again(marts: Warehouse) -> None:
    for number in range(2):
        add_account_week(marts, "inside", number, tier="enterprise")
        add_account_week(marts, "outside", number)
    run(marts, 0, 1)
    for account, tier in (("inside", "enterprise"), ("outside", "pro")):
        add_account_week(marts, account, 1, tier=tier, worst_open_ticket=2)
    run(marts, 1, scope=Scope(segment="enterprise"))
    assert changes(marts, "delta")[2:] == [("inside", -10.0)]


def test_a_live_week_triggers_for_each_account_that_changed_severity(marts: Warehouse) -> None:
    add_account_week(marts, "falls", 0)
    add_account_week(marts, "falls", 1, seat_utilisation=0, core_features_used=0, logged_in_7d=0)
    add_account_week(marts, "recovers", 0, seat_utilisation=0, core_features_used=0)
    add_account_week(marts, "recovers", 1)
    add_account_week(marts, "slips", 0)
    add_account_week(marts, "slips", 1, logged_in_7d=0)
    run(marts, 0)
    (done,) = run(marts, 1, origin="live")
    assert (done.worse, done.better, done.changed_band, done.compared) == (1, 1, 2, 3)
    columns = "trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts"
    falls, recovers = rows(marts, f"select {columns} from cs.triggers order by trigger_id")
    assert falls[:7] == (
        f"score_change:falls:{week(1)}:weekly_points:1",
        "score_change",
        "falls",
        "falls",
        week(1),
        datetime(2024, 1, 15, tzinfo=UTC),
        week(2),
    )
    assert falls[7] == {
        "model": "weekly_points",
        "model_version": WEEKLY_POINTS.version,
        "previous_week": str(week(0)),
        "from_score": 100,
        "to_score": 50,
        "delta": -50,
        "from_band": "Green",
        "to_band": "Yellow",
        "from_severity": 0,
        "to_severity": 1,
        "cause": "behaviour",
        "drivers": [
            {"metric": "seat_utilisation", "delta": -20, "cause": "behaviour", "before": 1, "after": 0},
            {"metric": "core_features_used", "delta": -20, "cause": "behaviour", "before": 5, "after": 0},
            {"metric": "logged_in_7d", "delta": -10, "cause": "behaviour", "before": 1, "after": 0},
        ],
    }
    assert recovers[0] == f"score_change:recovers:{week(1)}:weekly_points:0"


def test_a_first_score_triggers_only_when_it_is_not_healthy_and_says_it_is_the_first(marts: Warehouse) -> None:
    add_account_week(marts, "well", 0)
    add_account_week(marts, "ill", 0, seat_utilisation=0, core_features_used=0)
    run(marts, 0, origin="live")
    assert rows(marts, "select account_id, facts ->> 'cause', facts ->> 'from_severity' from cs.triggers") == [
        ("ill", "first_score", None)
    ]


def test_recording_a_live_week_again_triggers_nothing_again(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "a", 1, seat_utilisation=0, core_features_used=0)
    run(marts, 0)
    run(marts, 1, origin="live")
    before = triggers(marts)
    run(marts, 1, origin="live")
    assert triggers(marts) == before
    assert len(before) == 1


def test_a_backfill_triggers_nothing(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0)
    add_account_week(marts, "a", 1, seat_utilisation=0, core_features_used=0)
    run(marts, 0, 1, origin="backfill")
    assert triggers(marts) == []


def test_a_week_older_than_the_newest_scored_one_is_never_live(marts: Warehouse) -> None:
    for number in range(3):
        add_account_week(marts, "a", number, seat_utilisation=number % 2, core_features_used=5 * (number % 2))
    run(marts, 0)
    run(marts, 2)
    run(marts, 1, origin="live")
    assert triggers(marts) == []
    assert {origin for _, origin in changes(marts, "origin")} == {"backfill"}


def test_a_live_row_that_is_backfilled_again_is_a_backfill_and_keeps_its_trigger(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0, seat_utilisation=0, core_features_used=0)
    run(marts, 0, origin="live")
    assert changes(marts, "origin") == [("a", "live")]
    before = triggers(marts)
    run(marts, 0)
    assert changes(marts, "origin") == [("a", "backfill")]
    assert triggers(marts) == before
