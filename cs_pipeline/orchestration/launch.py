"""Run jobs in this process, on the instance that the Dagster UI shows: for the command line, demo and tests."""

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import RANGE_END_TAG, RANGE_START_TAG, WEEKLY_JOB
from cs_pipeline.orchestration.run_owner import task_of
from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.living import doing
from cs_pipeline.warehouse.locate import locate

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Launcher:
    """A code location, an instance to run its jobs on, and where their output goes."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    log: Path

    def run(
        self,
        job: str,
        *,
        run_config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        partition_key: str | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run `job` to its end; what dbt prints goes to `log`.

        Raises UserError with the failed step and its words when it fails.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        settings, run_id = load_settings(), str(uuid.uuid4())
        with (
            doing(locate(settings), task_of(run_id), settings.home),
            self.log.open("a", encoding="utf-8") as log,
            contextlib.redirect_stdout(log),
        ):
            result = self.definitions.resolve_job_def(job).execute_in_process(
                run_config={**QUIET, **(run_config or {})},
                tags=dict(tags or {}),
                partition_key=partition_key,
                instance=self.instance,
                run_id=run_id,
                raise_on_error=False,
            )
        if not result.success:
            raise UserError(f"The run of {job} failed: {_reason(result)} (log: {self.log})")
        return result

    def run_weeks(
        self, first: date, last: date, *, cohort: str = "", segment: str = "", late_rows: str = ""
    ) -> dg.ExecuteInProcessResult:
        """The weekly job for `first` to `last` in one run. It is a backfill: nobody is contacted."""
        scope = {"cohort": cohort, "segment": segment, "late_rows": late_rows}
        return self.run(
            WEEKLY_JOB,
            run_config={"resources": {"scope": {"config": scope}}},
            tags={
                RANGE_START_TAG: first.isoformat(),
                RANGE_END_TAG: last.isoformat(),
            },
        )


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """The failed steps and the innermost words of their errors, and what the checks that failed say to do; those of
    the run when it failed before any step."""
    failed = [event for event in result.all_events if event.is_step_failure]
    if failed:
        return "; ".join(
            [
                *(f"{event.step_key}: {_innermost(event.step_failure_data.error)}" for event in failed),
                *(f"{check.check_name}: {check.description}" for check in _blocking(result) if check.description),
            ]
        )
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE:
            return _innermost(event.job_failure_data.error)
    return "see the run in the Dagster UI"


def _blocking(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    return [
        check
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]


def _innermost(error: SerializableErrorInfo | None) -> str:
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else "no reason given"
