"""Slices of the weekly job: each is a step, retried alone, and the rows are those of one.

Here they run one after another, where steps in processes of their own take seconds each; `tests/deploy` spreads them.
"""

from collections.abc import Iterator

import dagster as dg
import pytest

from cs_pipeline.history.slices import Slice
from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.keys import (
    HEALTH_SCORES,
    RANGE_END_TAG,
    RANGE_START_TAG,
    SCORE_CHANGES,
    WEEKLY_JOB,
)
from cs_pipeline.orchestration.launch import QUIET
from cs_pipeline.orchestration.run_owner import owned_executor
from cs_pipeline.settings import load_settings
from tests.builders.sample_history import SCORED_UNTIL, WEEK, History

pytestmark = pytest.mark.slow(seconds=12)

RECORD = (
    "select * from cs.health_scores order by week, account_id, model, model_version",
    "select * from cs.parent_scores order by week, account_id, model, model_version",
    "select * from cs.score_changes order by week, account_id, model, model_version",
    "select * from cs.account_overview order by account_id",
)
SCORED, CHANGED = "cs__health_scores", "cs__score_changes"
BREAKS_DOWN = "alter table cs.health_scores add constraint breaks_down check (not ({accounts})) not valid"
"""A server that is asked to keep a score of these accounts refuses; that is, of a Citus, whichever has them."""


def weekly_job() -> dg.JobDefinition:
    """As a run loads it."""
    return build_defs(load_settings()).resolve_job_def(WEEKLY_JOB)


@pytest.fixture
def instance(history: History, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Of a pipeline with two slices, on a scored history."""
    monkeypatch.setenv("CS_PIPELINE_SCORE_SLICES", "2")
    monkeypatch.setattr("cs_pipeline.orchestration.jobs.weekly.executor_of_slices", lambda _: owned_executor)
    with history.runtime() as runtime:
        yield runtime.launcher.instance


def execute(instance: dg.DagsterInstance, again: str = "") -> dg.JobExecutionResult:
    """Scores and changes of the last weeks, from the marts as they stand; or what failed of a run."""
    tags = {RANGE_START_TAG: f"{SCORED_UNTIL - WEEK}", RANGE_END_TAG: f"{SCORED_UNTIL}"}
    return dg.execute_job(
        dg.reconstructable(weekly_job),
        instance,
        tags=tags,
        run_config=QUIET,
        raise_on_error=False,
        asset_selection=None if again else [HEALTH_SCORES, SCORE_CHANGES],
        reexecution_options=dg.ReexecutionOptions.from_failure(again, instance) if again else None,
    )


def test_a_slice_that_fails_is_retried_alone_and_the_rows_are_those_of_one_process(
    history: History, instance: dg.DagsterInstance
) -> None:
    before = [history.rows(sql) for sql in RECORD]
    history.rows(f"delete from cs.health_scores where week = '{SCORED_UNTIL}'")
    history.rows(BREAKS_DOWN.format(accounts=Slice(2, 2).condition("account_id")))
    with execute(instance) as failed:
        slices = {f"{SCORED}.score_slice[slice_{number}_of_2]" for number in (1, 2)}
        assert steps(failed, dg.DagsterEventType.STEP_FAILURE) == {f"{SCORED}.score_slice[slice_2_of_2]"}
        done = steps(failed, dg.DagsterEventType.STEP_SUCCESS)
        assert slices - done == {f"{SCORED}.score_slice[slice_2_of_2]"}
        assert f"{SCORED}.conclude_scores" not in done
    history.rows("alter table cs.health_scores drop constraint breaks_down")
    with execute(instance, failed.run_id) as retried:
        done = steps(retried, dg.DagsterEventType.STEP_SUCCESS)
        assert {step for step in done if "score_slice" in step} == {f"{SCORED}.score_slice[slice_2_of_2]"}
        assert len({step for step in done if "compare_slice[" in step}) == 2
        weeks = {(event.asset_key, event.partition) for event in retried.all_events if event.is_step_materialization}
        checks = {check.check_name for check in retried.get_asset_check_evaluations()}
        assert all(check.passed for check in retried.get_asset_check_evaluations())
    both = {f"{SCORED_UNTIL - WEEK}", f"{SCORED_UNTIL}"}
    assert weeks == {(key, week) for key in (HEALTH_SCORES, SCORE_CHANGES) for week in both}
    assert {"every_active_account_has_a_row", "share_changing_band_is_plausible"} <= checks
    assert [history.rows(sql) for sql in RECORD] == before


def steps(result: dg.JobExecutionResult, kind: dg.DagsterEventType) -> set[str]:
    return {str(event.step_key) for event in result.all_events if event.event_type == kind}
