"""Attribution of changes: nothing is left over, and every part has the right cause."""

import numpy as np
import pytest
from hypothesis import given

from cs_pipeline.health.attribution import CAUSES, Drivers, EarlierScores, attribute
from cs_pipeline.health.scoring import Arithmetic, Floats
from tests.builders.scored_accounts import ARITHMETIC, WEEKLY_POINTS, frame, metric_values

ANOTHER = Arithmetic(
    WEEKLY_POINTS.changed(
        dimensions=(
            WEEKLY_POINTS.dimensions[0].model_copy(update={"points": 70}),
            WEEKLY_POINTS.dimensions[1].model_copy(update={"metrics": WEEKLY_POINTS.dimensions[1].metrics[:2]}),
            WEEKLY_POINTS.dimensions[3],
        )
    )
)
"""Another version: other weights, no business dimension, one metric fewer."""

Account = dict[str, float | None]


def drivers_between(before: Account, after: Account) -> dict[str, tuple[float, str]]:
    """Drivers by metric, with the cause of each."""
    earlier, later = ARITHMETIC.score(frame(before)), ARITHMETIC.score(frame(after))
    names = WEEKLY_POINTS.metric_names
    drivers = attribute(
        ARITHMETIC, EarlierScores(names, earlier.metric_values, earlier.contributions), later.metric_values, True
    )
    return told(drivers)


def told(drivers: Drivers) -> dict[str, tuple[float, str]]:
    return {
        metric: (float(drivers.deltas[0, column]), CAUSES[drivers.causes[0, column]])
        for column, metric in enumerate(drivers.metrics)
        if drivers.deltas[0, column]
    }


@given(before=metric_values(), after=metric_values())
def test_drivers_sum_to_the_change_of_the_score(before: Floats, after: Floats) -> None:
    earlier, later = ARITHMETIC.score_values(before), ARITHMETIC.score_values(after)
    drivers = attribute(
        ARITHMETIC, EarlierScores(WEEKLY_POINTS.metric_names, before, earlier.contributions), after, same_version=True
    )
    scored = ~np.isnan(earlier.score) & ~np.isnan(later.score)
    change = (later.score - earlier.score)[scored]
    assert np.abs(drivers.deltas.sum(axis=1)[scored] - change).max(initial=0) < 1e-9


@given(before=metric_values(), after=metric_values())
def test_drivers_sum_to_the_change_across_versions_of_a_model(before: Floats, after: Floats) -> None:
    earlier = ARITHMETIC.score_values(before)
    columns = [WEEKLY_POINTS.metric_names.index(name) for name in ANOTHER.model.metric_names]
    later = ANOTHER.score_values(after[:, columns])
    drivers = attribute(
        ANOTHER,
        EarlierScores(WEEKLY_POINTS.metric_names, before, earlier.contributions),
        later.metric_values,
        same_version=False,
    )
    scored = ~np.isnan(earlier.score) & ~np.isnan(later.score)
    change = (later.score - earlier.score)[scored]
    assert np.abs(drivers.deltas.sum(axis=1)[scored] - change).max(initial=0) < 1e-9


@given(values=metric_values())
def test_accounts_that_stand_still_have_no_drivers(values: Floats) -> None:
    earlier = EarlierScores(WEEKLY_POINTS.metric_names, values, ARITHMETIC.score_values(values).contributions)
    drivers = attribute(ARITHMETIC, earlier, values.copy(), same_version=True)
    assert not drivers.deltas.any()
    assert (drivers.main_cause() == -1).all()
    assert drivers.largest_first()[0].size == 0


@given(before=metric_values(), after=metric_values())
def test_drivers_come_largest_first(before: Floats, after: Floats) -> None:
    earlier = EarlierScores(WEEKLY_POINTS.metric_names, before, ARITHMETIC.score_values(before).contributions)
    drivers = attribute(ARITHMETIC, earlier, after, same_version=True)
    positions, counts = drivers.largest_first()
    assert counts.tolist() == (drivers.deltas != 0).sum(axis=1).tolist()
    for row, ends in zip(drivers.deltas, np.split(positions, np.cumsum(counts)[:-1]), strict=True):
        sizes = np.abs(drivers.deltas.ravel()[ends])
        assert sizes.tolist() == sorted(np.abs(row[row != 0]), reverse=True)


@pytest.mark.requirement("C-12")
def test_behaviour_calendar_and_missing_data_are_told_apart() -> None:
    before: Account = {"days_to_renewal": 92, "nps_response": 3, "opened_last_3_emails": None}
    after: Account = {"days_to_renewal": 85, "nps_response": 3, "opened_last_3_emails": 0, "logged_in_7d": 0}
    assert drivers_between(before, after) == {
        "opened_last_3_emails": (-10, "missing_data"),
        "days_to_renewal": (-10, "calendar"),
        "logged_in_7d": (-10, "behaviour"),
    }


def test_a_metric_that_goes_missing_raises_or_lowers_the_score_as_missing_data() -> None:
    assert drivers_between({"worst_open_ticket": 2}, {"worst_open_ticket": None}) == {
        "worst_open_ticket": (10, "missing_data")
    }


def test_a_metric_that_moves_under_a_cap_drives_nothing() -> None:
    assert drivers_between({"nps_response": 10}, {"nps_response": 2}) == {}


def test_the_main_cause_is_the_one_that_moved_the_score_the_way_it_went() -> None:
    causes = np.array([[0, 1, 2], [0, 1, 2], [0, 1, -1], [2, 0, -1], [-1, -1, -1]])
    deltas = np.array([[-12.0, 13, -11], [5, 1, -30], [-5, -5, 0], [4, -4, 0], [0, 0, 0]])
    main = Drivers(("a", "b", "c"), deltas, causes).main_cause()
    assert [CAUSES[cause] if cause >= 0 else None for cause in main] == [
        "behaviour",  # most of the fall, though the missing data moved it further up
        "calendar",
        "behaviour",  # a tie
        "behaviour",  # nothing in the end; a tie
        None,
    ]


def test_what_a_new_version_does_to_the_old_metrics_is_told_apart_from_what_the_account_did() -> None:
    before = ARITHMETIC.score(frame({"core_features_used": 0}))
    columns = [WEEKLY_POINTS.metric_names.index(name) for name in ANOTHER.model.metric_names]
    after = ANOTHER.score(frame({"core_features_used": 0, "logged_in_7d": 0}))
    drivers = attribute(
        ANOTHER,
        EarlierScores(WEEKLY_POINTS.metric_names, before.metric_values, before.contributions),
        after.metric_values,
        same_version=False,
    )
    rescored = ANOTHER.score_values(before.metric_values[:, columns])
    of_version = drivers.deltas[drivers.causes == CAUSES.index("model_version")]
    of_behaviour = drivers.deltas[drivers.causes == CAUSES.index("behaviour")]
    assert of_version.sum() == pytest.approx(rescored.score[0] - before.score[0])
    assert of_behaviour.tolist() == pytest.approx([after.score[0] - rescored.score[0]])
