"""When things happen by themselves: the weekly job after each week, the day's lifecycle plays, a look at the CRM."""

from datetime import datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.crm_status import read_crm_status
from cs_pipeline.orchestration.jobs import LIVE, ORIGIN_TAG, WEEKLY_JOB
from cs_pipeline.orchestration.partitions import last_ended_week
from cs_pipeline.orchestration.plays import daily_plays
from cs_pipeline.settings import Settings


def weekly_request(moment: datetime, first_week: str) -> dg.RunRequest | dg.SkipReason:
    """The run that a tick at `moment` asks for: the last week that has ended, once."""
    week = last_ended_week(moment).isoformat()
    if week < first_week:
        return dg.SkipReason(f"the last week that ended, {week}, lies before the first week, {first_week}")
    return dg.RunRequest(
        run_key=f"{WEEKLY_JOB}:{week}",
        partition_key=week,
        tags={ORIGIN_TAG: LIVE, "dagster/max_retries": "2"},
    )


def build_schedules(weekly_job: UnresolvedAssetJobDefinition, settings: Settings) -> list[dg.ScheduleDefinition]:
    """All schedules. They run from the first load on: delivery is capture until someone sets it otherwise."""

    @dg.schedule(
        name="weekly_health_schedule",
        job=weekly_job,
        cron_schedule=settings.weekly_schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Scores the week that has just ended, and lets its changes start plays.",
    )
    def weekly_health_schedule(
        context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock]
    ) -> dg.RunRequest | dg.SkipReason:
        return weekly_request(_moment(context, clock), settings.first_week.isoformat())

    @dg.schedule(
        name="daily_plays_schedule",
        job=daily_plays,
        cron_schedule="0 5 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Greets new accounts, ends plays whose reason is gone, and takes the day's due actions.",
    )
    def daily_plays_schedule(context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock]) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"daily_plays:{_moment(context, clock):%Y-%m-%d}")

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

    return [weekly_health_schedule, daily_plays_schedule, read_crm_status_schedule]


def _moment(context: dg.ScheduleEvaluationContext, clock: Clock) -> datetime:
    """The moment that a tick stands for: its own, or the one that the clock is set to."""
    return clock.now() if clock.is_frozen else context.scheduled_execution_time
