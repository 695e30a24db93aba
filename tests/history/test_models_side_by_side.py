"""Several models in one run: one counts for each account; carried values, overrides, held weeks, parents."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.scoring import Floats
from cs_pipeline.health.selection import Rule, Selection, selection_of
from cs_pipeline.health.specification import CarryForward, ScoreModel
from cs_pipeline.health.steadiness import Escalation, Steadiness
from cs_pipeline.history.changes import record_changes
from cs_pipeline.history.overrides import OverrideRequest, overrides_in_force, set_override, withdraw_override
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.warehouse.bulk import read_rows
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account, add_account_week, week
from tests.builders.scored_accounts import HEALTHY, WEEKLY_POINTS, metric_values
from tests.builders.triggers import open_triggers

FIVE_FACTOR = load_score_model("five_factor")
BOTH = Selection(
    (Rule(model="five_factor", tier="enterprise"), Rule(model="weekly_points")), (WEEKLY_POINTS, FIVE_FACTOR)
)
ONLY_WEEKLY = selection_of(WEEKLY_POINTS)


def scores(warehouse: Warehouse, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    rows = read_rows(
        warehouse, f"select {columns} from cs.health_scores where {where} order by account_id, week, model"
    )
    return [tuple(row.values()) for row in rows]


def record(warehouse: Warehouse, selection: Selection, *numbers: int) -> None:
    weeks = [week(number) for number in numbers]
    score_weeks(warehouse, selection, weeks, Scope())
    record_changes(warehouse, selection, weeks, Scope(), "backfill")


def with_missing(model: ScoreModel, metric: str, missing: object) -> ScoreModel:
    """The model with another policy for one metric."""
    dimensions = tuple(
        dimension.model_copy(
            update={
                "metrics": tuple(
                    each.model_copy(update={"missing": missing}) if each.metric == metric else each
                    for each in dimension.metrics
                )
            }
        )
        for dimension in model.dimensions
    )
    return model.changed(dimensions=dimensions)


@pytest.mark.requirement("C-02")
def test_every_model_scores_every_account_and_one_of_them_counts(marts: Warehouse) -> None:
    add_account_week(marts, "large", 0, tier="enterprise", login_days_30d=20, nps_response=9, tickets_30d=0)
    add_account_week(marts, "small", 0, tier="pro")
    (done,) = score_weeks(marts, BOTH, [week(0)], Scope())
    assert scores(marts, "account_id, model, is_active") == [
        ("large", "five_factor", True),
        ("large", "weekly_points", False),
        ("small", "five_factor", False),
        ("small", "weekly_points", True),
    ]
    assert done.active.accounts == 2
    assert {name: summary.accounts for name, summary in done.by_model.items()} == {"weekly_points": 2, "five_factor": 2}


def test_an_account_that_moves_to_another_model_changes_for_that_reason(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0, tier="pro", worst_open_ticket=2)
    full: dict[str, Any] = dict.fromkeys(FIVE_FACTOR.metric_names, 1.0)
    add_account_week(marts, "a", 1, tier="enterprise", **full)
    record(marts, BOTH, 0, 1)
    (change,) = read_rows(marts, f"select * from cs.score_changes where week = '{week(1)}'")
    assert change["model"] == "five_factor"
    assert change["cause"] == "model_version"
    assert sum(change["driver_deltas"]) == pytest.approx(change["delta"])


@pytest.mark.requirement("C-13")
def test_a_missing_value_is_carried_forward_for_so_many_weeks_and_no_longer(marts: Warehouse) -> None:
    model = with_missing(WEEKLY_POINTS, "nps_response", CarryForward(carry_forward=2))
    add_account_week(marts, "a", 0, nps_response=3)
    for number in (1, 2, 3):
        add_account_week(marts, "a", number, nps_response=None)
    score_weeks(marts, selection_of(model), [week(number) for number in range(4)], Scope())
    position = model.metric_names.index("nps_response") + 1
    assert scores(marts, f"metric_values[{position}], carried, coverage = 1 as is_complete") == [
        (3, None, True),
        (3, ["nps_response"], True),
        (3, ["nps_response"], True),
        (None, None, False),
    ]


@pytest.mark.requirement("C-13")
def test_a_neutral_metric_gives_half_of_its_points_and_no_coverage(marts: Warehouse) -> None:
    model = with_missing(WEEKLY_POINTS, "worst_open_ticket", "neutral")
    add_account_week(marts, "a", 0, worst_open_ticket=None)
    score_weeks(marts, selection_of(model), [week(0)], Scope())
    ((score, coverage, contributions),) = scores(marts, "score, coverage, contributions")
    assert (score, coverage) == (95, pytest.approx(0.9))
    assert sum(contributions) == pytest.approx(score)


def override(marts: Warehouse, number: int, *, until: int, **asked: Any) -> None:
    """Set by somebody on the Wednesday of a week."""
    now = datetime.combine(week(number), datetime.min.time(), UTC) + timedelta(days=2)
    until_day = week(until) + timedelta(days=6)
    set_override(marts, ONLY_WEEKLY, OverrideRequest("a", "they told us", "kim", until_day, **asked), now)


def test_what_a_person_sets_counts_until_its_day_and_the_models_number_is_kept(marts: Warehouse) -> None:
    add_account(marts, "a")
    for number in range(4):
        add_account_week(marts, "a", number)
    override(marts, 1, until=2, score=30.0)
    record(marts, ONLY_WEEKLY, 0, 1, 2, 3)
    assert scores(marts, "score, band, severity, model_score, model_band") == [
        (100, "Green", 0, None, None),
        (30, "Red", 3, 100, "Green"),
        (30, "Red", 3, 100, "Green"),
        (100, "Green", 0, None, None),
    ]
    changes = read_rows(marts, "select week, delta, cause, driver_metrics from cs.score_changes order by week")
    assert [(row["week"], row["delta"], row["cause"], row["driver_metrics"]) for row in changes[1:]] == [
        (week(1), -70, "override", ["override"]),
        (week(3), 70, "override", ["override"]),
    ]


def test_a_band_set_by_hand_leaves_the_score(marts: Warehouse) -> None:
    add_account(marts, "a")
    add_account_week(marts, "a", 0)
    add_account_week(marts, "a", 1)
    override(marts, 1, until=1, band="Yellow")
    record(marts, ONLY_WEEKLY, 0, 1)
    assert scores(marts, "score, band, severity, model_band", f"week = '{week(1)}'") == [(100, "Yellow", 1, "Green")]
    assert read_rows(marts, f"select cause from cs.score_changes where week = '{week(1)}'") == [{"cause": "override"}]


def test_a_withdrawn_override_still_counts_for_the_weeks_it_counted_for(marts: Warehouse) -> None:
    add_account(marts, "a")
    for number in range(3):
        add_account_week(marts, "a", number)
    override(marts, 0, until=9, score=30.0)
    later = datetime.combine(week(1), datetime.min.time(), UTC)
    with marts.session() as session:
        assert overrides_in_force(session, later)["account_id"].tolist() == ["a"]
        assert withdraw_override(session, "a", "kim", later) == 1
        assert overrides_in_force(session, later).empty
    record(marts, ONLY_WEEKLY, 0, 1, 2)
    assert scores(marts, "score") == [(30,), (100,), (100,)]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"account_id": "nobody"}, "There is no account 'nobody'"),
        ({"band": "Purple"}, "There is no band 'Purple'; there are: Green, Yellow, Red"),
        ({"score": 101.0}, "expected 0 to 100"),
        ({"score": None}, "Say what the account should have"),
        ({"reason": " "}, "Say why"),
        ({"until": date(2020, 1, 1)}, "expected a day after"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(marts: Warehouse, asked: dict[str, Any], complaint: str) -> None:
    add_account(marts, "a")
    usual = {"account_id": "a", "reason": "why", "set_by": "kim", "until": date(2099, 1, 1), "score": 1.0}
    with pytest.raises(UserError, match=complaint):
        set_override(marts, ONLY_WEEKLY, OverrideRequest(**{**usual, **asked}), datetime(2024, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("account", "score", "band", "complaint"),
    [
        (
            "small",
            None,
            "Stable",
            "no band 'Stable' of weekly_points, the model that counts for 'small'; .* Green",
        ),
        ("large", None, "Green", "no band 'Green' of five_factor, .*; there are: Healthy, Stable, At Risk, Critical"),
        ("unknown", None, "Red", "'unknown' has no score that a band could be of; set a score"),
        ("small", None, "Yellow", ""),
        ("unknown", 30.0, "Yellow", ""),
        ("new", None, "Stable", ""),  # who knows which model will count
    ],
)
def test_a_band_that_could_not_count_is_refused(
    marts: Warehouse, account: str, score: float | None, band: str, complaint: str
) -> None:
    for each in ("small", "large", "unknown", "new"):
        add_account(marts, each)
    full: dict[str, Any] = dict.fromkeys(FIVE_FACTOR.metric_names, 1.0)
    add_account_week(marts, "small", 0)
    add_account_week(marts, "large", 0, tier="enterprise", **full)
    add_account_week(marts, "unknown", 0, is_known=False)
    score_weeks(marts, BOTH, [week(0)], Scope())
    asked = OverrideRequest(account, "they told us", "kim", week(9), score, band)
    now = datetime.combine(week(1), datetime.min.time(), UTC)
    with pytest.raises(UserError, match=complaint) if complaint else nullcontext():
        set_override(marts, BOTH, asked, now)
    assert len(read_rows(marts, "select 1 from cs.score_overrides")) == (0 if complaint else 1)


def test_an_override_before_there_are_marts_is_refused_in_a_sentence(warehouse: Warehouse) -> None:
    asked = OverrideRequest("a", "they told us", "kim", week(9), 30.0)
    with pytest.raises(UserError, match=r"marts\.dim_accounts is not there: build the marts first"):
        set_override(warehouse, ONLY_WEEKLY, asked, datetime.combine(week(1), datetime.min.time(), UTC))


def test_a_week_without_any_event_holds_the_last_scores_and_says_so(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0, events_7d=9, seat_utilisation=0.6)
    add_account_week(marts, "a", 1, events_7d=0, seat_utilisation=0, core_features_used=0, logged_in_7d=0)
    add_account_week(marts, "new", 1, events_7d=0, seat_utilisation=0, core_features_used=0, logged_in_7d=0)
    add_account_week(marts, "a", 2, events_7d=4, seat_utilisation=0.6)
    add_account_week(marts, "new", 2, events_7d=1)
    done = score_weeks(marts, ONLY_WEEKLY, [week(0), week(1), week(2)], Scope())
    record_changes(marts, ONLY_WEEKLY, [week(0), week(1), week(2)], Scope(), "backfill")
    assert scores(marts, "account_id, week, status, score, held_from") == [
        ("a", week(0), "scored", 90, None),
        ("a", week(1), "held", 90, week(0)),
        ("a", week(2), "scored", 90, None),
        ("new", week(1), "not_scored", None, None),
        ("new", week(2), "scored", 100, None),
    ]
    assert [each.held for each in done] == [0, 1, 0]
    assert dict(done[1].active.bands) == {"Green": 1, "not_scored": 1}
    causes = read_rows(marts, "select account_id, week, cause from cs.score_changes order by week, account_id")
    assert [tuple(row.values()) for row in causes] == [
        ("a", week(0), "first_score"),
        ("new", week(2), "first_score"),
    ]


def test_an_outage_holds_for_as_long_as_it_lasts_and_a_stray_event_does_not_end_it(marts: Warehouse) -> None:
    for number in range(18):
        add_account_week(marts, "a", number, events_7d=100 if number < 9 else 0, seat_utilisation=0.6)
        add_account_week(marts, "stray", number, events_7d=2 if number > 11 else 0, seat_utilisation=0.6)
    done = score_weeks(marts, ONLY_WEEKLY, [week(number) for number in range(18)], Scope())
    assert [each.held for each in done] == [0] * 9 + [2] * 9


def weeks_held(marts: Warehouse, weeks: int) -> list[bool]:
    """Whether each week was taken for one whose events did not arrive."""
    done = score_weeks(marts, ONLY_WEEKLY, [week(number) for number in range(weeks)], Scope())
    return [each.is_stale for each in done]


def test_one_heavy_account_does_not_hide_that_the_others_are_silent(marts: Warehouse) -> None:
    for number in range(6):
        add_account_week(marts, "heavy", number, events_7d=1_050_000)
        for small in range(10):
            add_account_week(marts, f"small {small}", number, events_7d=0 if number == 4 else 70)
    assert weeks_held(marts, 6) == [False] * 4 + [True, False]


def test_one_heavy_account_that_leaves_is_no_outage(marts: Warehouse) -> None:
    for number in range(8):
        if number < 4:
            add_account_week(marts, "heavy", number, events_7d=1_050_000)
        for small in range(10):
            add_account_week(marts, f"small {small}", number, events_7d=70 - number)
    assert not any(weeks_held(marts, 8))


def test_a_week_of_which_only_the_first_hours_arrived_is_held(marts: Warehouse) -> None:
    for number in range(5):
        for account in range(10):
            add_account_week(marts, f"{account}", number, events_7d=(account + 1) * (5 if number == 4 else 100))
    assert weeks_held(marts, 5) == [False] * 4 + [True]


def test_accounts_that_come_now_and_then_are_no_outage(marts: Warehouse) -> None:
    for number in range(12):
        for account in range(12):
            add_account_week(marts, f"{account}", number, events_7d=9 if account % 4 == number % 4 else 0)
    assert not any(weeks_held(marts, 12))


def test_a_quarter_of_the_usual_events_is_a_quiet_week_and_no_outage(marts: Warehouse) -> None:
    for number in range(5):
        for account in range(10):
            add_account_week(marts, f"{account}", number, events_7d=25 if number == 4 else 100)
    assert not any(weeks_held(marts, 5))


def test_what_people_set_counts_in_a_held_week_and_ends_in_one(marts: Warehouse) -> None:
    add_account(marts, "a")
    for number in range(4):
        add_account_week(marts, "a", number, events_7d=9 if number == 0 else 0, seat_utilisation=0.6)
    override(marts, 1, until=2, score=30.0)
    record(marts, ONLY_WEEKLY, 0, 1, 2, 3)
    assert scores(marts, "status, score, band, severity, model_score, model_band") == [
        ("scored", 90, "Green", 0, None, None),
        ("held", 30, "Red", 3, 90, "Green"),
        ("held", 30, "Red", 3, 90, "Green"),
        ("held", 90, "Green", 0, None, None),
    ]
    changes = read_rows(marts, "select week, cause from cs.score_changes order by week")
    assert [tuple(row.values()) for row in changes[1:]] == [(week(1), "override"), (week(3), "override")]


def test_an_account_that_nothing_can_be_held_for_has_what_a_person_says(marts: Warehouse) -> None:
    add_account(marts, "a")
    add_account_week(marts, "old", 0, events_7d=9)
    add_account_week(marts, "a", 1, events_7d=0)
    override(marts, 1, until=1, score=30.0)
    score_weeks(marts, ONLY_WEEKLY, [week(0), week(1)], Scope())
    assert scores(marts, "status, score, model_score", "account_id = 'a'") == [("scored", 30, None)]


def test_no_play_starts_from_a_held_score_although_another_model_comes_to_count(marts: Warehouse) -> None:
    none: dict[str, Any] = dict.fromkeys(FIVE_FACTOR.metric_names, 0.0)
    add_account_week(marts, "a", 0, tier="pro", events_7d=9, **none)
    add_account_week(marts, "a", 1, tier="enterprise", events_7d=0, **none)
    for number in (0, 1):
        score_weeks(marts, BOTH, [week(number)], Scope())
        record_changes(marts, BOTH, [week(number)], Scope(), "live")
    assert scores(marts, "model, status, is_active", f"week = '{week(1)}' and is_active") == [
        ("five_factor", "held", True)
    ]
    (change,) = read_rows(marts, f"select from_severity, to_severity from cs.score_changes where week = '{week(1)}'")
    assert change["from_severity"] != change["to_severity"]
    assert open_triggers(marts, week(1))["score_change"] == 0


def test_a_score_that_only_a_person_gave_is_the_persons_driver(marts: Warehouse) -> None:
    add_account(marts, "a")
    for number, is_known in enumerate((False, False, True)):
        add_account_week(marts, "a", number, is_known=is_known)
    override(marts, 0, until=1, score=50.0)
    record(marts, ONLY_WEEKLY, 0, 1, 2)
    changes = read_rows(marts, "select week, delta, driver_metrics, driver_deltas from cs.score_changes order by week")
    assert [tuple(row.values()) for row in changes[1:]] == [(week(2), 50, ["override"], [50])]


@given(
    before=metric_values(1),
    after=metric_values(1),
    set_before=st.none() | st.integers(0, 100),
    set_after=st.none() | st.integers(0, 100),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_drivers_sum_to_the_change_whatever_people_set_and_whatever_is_known(
    marts: Warehouse, before: Floats, after: Floats, set_before: int | None, set_after: int | None
) -> None:
    with marts.session() as session, session.cursor() as cursor:
        for table in ("cs.score_changes", "cs.health_scores", "cs.score_overrides", "marts.dim_accounts"):
            cursor.execute(f"delete from {table}")
    add_account(marts, "a")
    for number, (values, by_hand) in enumerate(((before, set_before), (after, set_after))):
        known = {
            name: None if np.isnan(value) else float(value) for name, value in zip(HEALTHY, values[0], strict=True)
        }
        add_account_week(marts, "a", number, **known)  # pyright: ignore[reportArgumentType]
        if by_hand is not None:
            override(marts, number, until=number, score=float(by_hand))
    record(marts, ONLY_WEEKLY, 0, 1)
    for row in read_rows(marts, "select delta, driver_deltas from cs.score_changes where delta is not null"):
        assert sum(row["driver_deltas"]) == pytest.approx(row["delta"], abs=1e-9)


def test_a_severity_that_changes_alone_is_a_change_and_starts_plays(marts: Warehouse) -> None:
    model = WEEKLY_POINTS.changed(escalation=Escalation())
    for number in range(6):
        add_account_week(marts, "a", number, seat_utilisation=0, core_features_used=0)
        score_weeks(marts, selection_of(model), [week(number)], Scope())
        record_changes(marts, selection_of(model), [week(number)], Scope(), "live")
    changes = read_rows(marts, "select week, from_severity, to_severity, cause from cs.score_changes order by week")
    assert [tuple(row.values()) for row in changes[1:]] == [(week(4), 1, 2, "steadiness")]
    assert open_triggers(marts, week(4))["score_change"] == 1


def test_bands_of_another_severity_in_a_new_version_are_a_change(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0, seat_utilisation=0, core_features_used=0)
    add_account_week(marts, "a", 1, seat_utilisation=0, core_features_used=0)
    record(marts, ONLY_WEEKLY, 0)
    bands = tuple(
        band.model_copy(update={"severity": 2}) if band.band == "Yellow" else band for band in WEEKLY_POINTS.bands
    )
    record(marts, selection_of(WEEKLY_POINTS.changed(bands=bands)), 1)
    changes = read_rows(
        marts, f"select from_severity, to_severity, cause from cs.score_changes where week = '{week(1)}'"
    )
    assert [tuple(row.values()) for row in changes] == [(1, 2, "model_version")]


@pytest.mark.parametrize(("roll_up", "score"), [("arr", 70.0), ("mean", 80.0)])
def test_a_parent_has_the_score_of_its_children_by_arr_or_as_their_mean(
    marts: Warehouse, roll_up: str, score: float
) -> None:
    add_account_week(marts, "well", 0, arr=10_000)
    add_account_week(marts, "ill", 0, arr=20_000, seat_utilisation=0, core_features_used=0)
    add_account_week(marts, "alone", 0, arr=5_000)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_account_weeks set parent_account_id = 'group' where account_id <> 'alone'")
    score_weeks(marts, selection_of(WEEKLY_POINTS.changed(roll_up=roll_up)), [week(0)], Scope())
    (parent,) = read_rows(marts, "select * from cs.parent_scores")
    assert (parent["account_id"], parent["children"], parent["arr"]) == ("group", 2, 30_000)
    assert parent["score"] == pytest.approx({"arr": (100 + 2 * 60) / 3, "mean": 80}[roll_up])
    assert (parent["band"], parent["severity"]) == ("Green", 0)


def test_a_parent_of_equal_children_has_their_score_to_the_bit(marts: Warehouse) -> None:
    alike = {"seat_utilisation": 0.0, "nps_response": 7.0, "days_to_renewal": 60.0}
    for number in range(30):
        add_account_week(marts, f"child-{number}", 0, arr=number * 1_234.567 + 0.1, **alike)  # pyright: ignore
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_account_weeks set parent_account_id = 'group'")
    score_weeks(marts, ONLY_WEEKLY, [week(0)], Scope())
    ((child,), *_) = scores(marts, "score")
    assert [row["score"] for row in read_rows(marts, "select score from cs.parent_scores")] == [child]


def test_a_steady_model_waits_for_its_weeks_in_one_run_and_in_many(marts: Warehouse) -> None:
    model = WEEKLY_POINTS.changed(steadiness=Steadiness(confirm_weeks=2))
    for number in range(5):
        ill: dict[str, Any] = {"seat_utilisation": 0.0, "core_features_used": 0.0} if number else {}
        add_account_week(marts, "a", number, **ill)
    record(marts, selection_of(model), 0, 1, 2, 3, 4)
    together = scores(marts, "week, score, band, weeks_in_band, leaning")
    assert together == [
        (week(0), 100, "Green", 1, 0),
        (week(1), 60, "Green", 2, -1),
        (week(2), 60, "Yellow", 1, 0),
        (week(3), 60, "Yellow", 2, 0),
        (week(4), 60, "Yellow", 3, 0),
    ]
    changes = read_rows(marts, "select week, delta, from_band, to_band, cause from cs.score_changes order by week")
    assert [tuple(row.values()) for row in changes[1:]] == [
        (week(1), -40, "Green", "Green", "behaviour"),
        (week(2), 0, "Green", "Yellow", "steadiness"),
    ]
    for number in range(5):
        record(marts, selection_of(model), number)
    assert scores(marts, "week, score, band, weeks_in_band, leaning") == together


@pytest.mark.requirement("C-11")
def test_an_account_that_falls_while_on_watch_is_at_risk(marts: Warehouse) -> None:
    model = WEEKLY_POINTS.changed(escalation=Escalation())
    for number in range(4):
        add_account_week(marts, "a", number)
    add_account_week(marts, "a", 4, seat_utilisation=0, core_features_used=2)
    score_weeks(marts, selection_of(model), [week(number) for number in range(5)], Scope())
    assert scores(marts, "score, band, severity", f"week >= '{week(3)}'") == [(100, "Green", 0), (70, "Green", 0)]
    add_account_week(marts, "a", 4, seat_utilisation=0, core_features_used=0)
    score_weeks(marts, selection_of(model), [week(4)], Scope())
    assert scores(marts, "score, band, severity", f"week = '{week(4)}'") == [(60, "Yellow", 2)]


@pytest.mark.requirement("C-12")
def test_a_model_may_leave_the_calendar_out_of_its_bands(marts: Warehouse) -> None:
    model = WEEKLY_POINTS.changed(steadiness=Steadiness(calendar="left_out"))
    ill: dict[str, Any] = {"seat_utilisation": 0.6, "core_features_used": 2.0, "nps_response": 3.0}
    add_account_week(marts, "a", 0, **ill, days_to_renewal=200)
    add_account_week(marts, "a", 1, **ill, days_to_renewal=20)
    score_weeks(marts, selection_of(model), [week(0), week(1)], Scope())
    (before, after) = scores(marts, "score, band")
    assert after[0] < before[0]
    assert before[1] == after[1]


def test_parents_and_scores_of_a_week_are_the_same_when_it_is_scored_again(marts: Warehouse) -> None:
    add_account_week(marts, "a", 0, arr=1_000)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute("update marts.fct_account_weeks set parent_account_id = 'group'")
    everything = "select * from cs.parent_scores", "select * from cs.health_scores order by model"
    score_weeks(marts, BOTH, [week(0)], Scope())
    first = [read_rows(marts, sql) for sql in everything]
    score_weeks(marts, BOTH, [week(0)], Scope())
    assert [read_rows(marts, sql) for sql in everything] == first
