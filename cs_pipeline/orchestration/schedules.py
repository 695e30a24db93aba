"""Schedules: the week and its KPIs, the day's plays and feedback, alert rules and the CRM every hour."""

from collections.abc import Sequence
from datetime import date, datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (  # has no public name
    UnresolvedAssetJobDefinition,
)

from cs_pipeline.clock import Clock
from cs_pipeline.history.holes import holes, holes_to_fill, last_scored
from cs_pipeline.orchestration.jobs.alerts import evaluate_alerts, scorecards_job
from cs_pipeline.orchestration.jobs.crm_status import read_crm_status
from cs_pipeline.orchestration.jobs.feedback import feedback_job
from cs_pipeline.orchestration.jobs.kpis import kpis_job
from cs_pipeline.orchestration.jobs.maintenance import purge_runs_job
from cs_pipeline.orchestration.jobs.plays import daily_plays
from cs_pipeline.orchestration.keys import (
    LIVE,
    MAX_RETRIES_TAG,
    ORIGIN_TAG,
    PRIORITY_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    REASON_TAG,
    WEEKLY_JOB,
)
from cs_pipeline.orchestration.partitions import last_ended_week
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def weekly_requests(
    moment: datetime, first_week: date, missed: Sequence[tuple[date, date]] = ()
) -> list[dg.RunRequest] | dg.SkipReason:
    """The runs that a tick at `moment` asks for: the last week that has ended, once, and before it the weeks that were
    missed, range by range. Those are backfills: they contact nobody.
    """
    week = last_ended_week(moment)
    if week < first_week:
        return dg.SkipReason(f"the last week that ended, {week}, lies before the first week, {first_week}")
    return [
        *(_missed_request(first, last, week) for first, last in missed if first >= first_week),
        dg.RunRequest(
            run_key=f"{WEEKLY_JOB}:{week}",
            partition_key=week.isoformat(),
            tags={ORIGIN_TAG: LIVE, MAX_RETRIES_TAG: "2"},
        ),
    ]


def _missed_request(first: date, last: date, week: date) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{WEEKLY_JOB}:{first}..{last}:before:{week}",
        tags={
            RANGE_START_TAG: first.isoformat(),
            RANGE_END_TAG: last.isoformat(),
            PRIORITY_TAG: "1",  # before the week that is compared with them
            REASON_TAG: "weeks that were missed",
            MAX_RETRIES_TAG: "2",
        },
    )


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """All schedules. They run from the first load on: delivery is capture until someone sets it otherwise."""

    @dg.schedule(
        name="weekly_health_schedule",
        job_name=WEEKLY_JOB,
        cron_schedule=settings.weekly_schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "Scores the week that has just ended, and lets its changes start plays. Before that it asks for weeks that "
            "were missed since the last scored one, as a backfill."
        ),
    )
    def weekly_health_schedule(
        context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock], warehouse: dg.ResourceParam[Warehouse]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        moment = _moment(context, clock)
        week = last_ended_week(moment)
        with warehouse.session() as session:
            missed = holes_to_fill(holes(session, week), last_scored(session, week), week)
        return weekly_requests(moment, settings.first_week, missed)

    @dg.schedule(
        name="read_crm_status_schedule",
        job=read_crm_status,
        cron_schedule="40 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reads back from the connected CRM which tasks are done; does nothing where none is connected.",
    )
    def read_crm_status_schedule(
        context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock]
    ) -> dg.RunRequest | dg.SkipReason:
        if settings.crm == "table" or settings.delivery == "capture":
            return dg.SkipReason("no CRM is connected: tasks stand in cs.crm_tasks")
        return dg.RunRequest(run_key=f"read_crm_status:{_moment(context, clock):%Y-%m-%dT%H}")

    return [
        weekly_health_schedule,
        once_a(
            "%Y-%m-%d",
            daily_plays,
            "0 5 * * *",
            "Greets new accounts, ends plays whose reason is gone, and takes the day's due actions.",
        ),
        once_a(
            "%Y-%m-%dT%H",
            evaluate_alerts,
            "5 * * * *",  # the data of the hour has arrived
            "Asks the alert rules that are due; what they find fires once, and ends when it is over.",
        ),
        once_a("%Y-%m", scorecards_job, "30 4 1 * *", "Says once a month what each alert rule was worth."),
        once_a(
            "%Y-%m-%d",
            kpis_job,
            ["30 9 * * 1", "30 3 1 * *"],  # the week has been scored by then; the month is over
            "Builds the KPIs on Mondays and on the first of the month.",
        ),
        once_a(
            "%Y-%m-%d", feedback_job, "20 5 * * *", "Hands on, every morning, what customers said since the last one."
        ),
        once_a("%Y-%m-%d", purge_runs_job, "50 3 * * *", "Deletes, every night, runs that have ended long ago."),
        read_crm_status_schedule,
    ]


def once_a(
    span: str, job: dg.JobDefinition | UnresolvedAssetJobDefinition, cron: str | Sequence[str], description: str
) -> dg.ScheduleDefinition:
    """A schedule of one run in each `span`, which is how strftime writes the moment of its ticks."""

    @dg.schedule(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def schedule(context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock]) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{job.name}:{_moment(context, clock):{span}}")

    return schedule


def _moment(context: dg.ScheduleEvaluationContext, clock: Clock) -> datetime:
    """The moment that a tick stands for: its own, or the one that the clock is set to."""
    return clock.now() if clock.is_frozen else context.scheduled_execution_time
