"""Schedules of reports: each looks several times whether its period can be reported, and launches one run for it.

What is still missing at the last look is told: the run is launched, fails with what to do, and the sensor of failed
runs says so.
"""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.jobs.reports import REPORT_JOBS
from cs_pipeline.reports.dated.catalogue import KINDS
from cs_pipeline.reports.dated.periods import Rhythm, last_ended
from cs_pipeline.reports.dated.readiness import Needs, why_not_ready
from cs_pipeline.warehouse.connection import Warehouse

LOOKS: Mapping[Rhythm, list[str]] = {
    "weekly": ["30 10 * * 1", "30 15 * * 1", "30 8 * * 2"],  # KPIs are built on Mondays at 9:30
    "monthly": ["30 6 1 * *", "30 6 2 * *", "30 6 3 * *"],  # and on the first of the month at 3:30
    "quarterly": ["0 7 1 1,4,7,10 *", "0 7 2 1,4,7,10 *", "0 7 3 1,4,7,10 *"],
}
DAYS_LOOKED: Mapping[Rhythm, int] = {"weekly": 1, "monthly": 2, "quarterly": 2}
"""Days after the period's end on which the last look falls."""


def build_report_schedules() -> list[dg.ScheduleDefinition]:
    """One for each rhythm. They run from the first load on, as all schedules do."""
    return [_schedule(rhythm) for rhythm in REPORT_JOBS]


def _schedule(rhythm: Rhythm) -> dg.ScheduleDefinition:
    name = f"{rhythm}_reports"

    @dg.schedule(
        name=f"{name}_schedule",
        job=REPORT_JOBS[rhythm],
        cron_schedule=LOOKS[rhythm],
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            f"Makes and sends the {rhythm} reports, once, as soon as their period is over and what they are made of is "
            "there."
        ),
    )
    def reports_schedule(
        context: dg.ScheduleEvaluationContext, clock: dg.ResourceParam[Clock], warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.RunRequest | dg.SkipReason:
        moment = clock.now() if clock.is_frozen else context.scheduled_execution_time
        missing = _missing(rhythm, moment, warehouse)
        period = last_ended(rhythm, moment)
        if missing and (moment.date() - period.end).days < DAYS_LOOKED[rhythm]:
            return dg.SkipReason(f"not yet: {missing}")
        return dg.RunRequest(run_key=f"{name}:{period.first}")

    return reports_schedule


def _missing(rhythm: Rhythm, moment: datetime, warehouse: Warehouse) -> str | None:
    """Why one of the reports cannot be made yet."""
    needs: set[Needs] = {kind.needs for kind in KINDS.values() if kind.rhythm == rhythm}
    try:
        with warehouse.session() as session:
            found = (why_not_ready(session, each, last_ended(rhythm, moment)) for each in sorted(needs, reverse=True))
            return next(filter(None, found), None)
    except UserError as error:  # no marts yet
        return str(error)
