"""Lets days happen: sets the clock, and ticks the real schedules and sensors as Dagster's daemon would.

What they ask for runs in this process, on the instance that the UI shows. A run key that was used before asks for
nothing, as with the daemon, so letting the same days happen again starts nothing again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import RUN_KEY_TAG, SCHEDULE_TAG, SENSOR_TAG
from cs_pipeline.orchestration.launch import Launcher
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

PLAYBOOKS_SENSOR = "playbooks_sensor"
DUE_SENSOR = "due_actions_sensor"
WEEKLY_SCHEDULE = "weekly_health_schedule"
DAILY_SCHEDULE = "daily_plays_schedule"
FEEDBACK_SCHEDULE = "route_feedback_schedule"
ALERT_SCHEDULE = "evaluate_alerts_schedule"

EARLY = timedelta(hours=5)
MORNING = timedelta(hours=6)
AFTER_LOADING = timedelta(hours=6, minutes=5)  # an hour of alert rules, that of the daily ones
AFTERNOON = timedelta(hours=14)  # with EARLY and EVENING, an hour at which people are at work wherever they are
EVENING = timedelta(hours=20)


@dataclass
class Timelapse:
    """A clock, a code location that uses it, and the cursors that the sensors have reached."""

    launcher: Launcher
    clock: Clock
    warehouse: Warehouse
    settings: Settings
    cursors: dict[str, str | None] = field(default_factory=dict)
    runs: int = 0

    def let_day_happen(self, midnight: datetime) -> None:
        """One day in UTC: schedules (on Mondays the weekly one too), alert rules, sensors, what falls due by evening.

        Alert rules are asked once a day, and not every hour: what is due then is asked about its newest moment. What
        customers said is handed on once a week.
        """
        self._tick_schedule(DAILY_SCHEDULE, midnight + EARLY)
        if midnight.weekday() == 0:
            self._tick_schedule(WEEKLY_SCHEDULE, midnight + MORNING)
            self._tick_schedule(FEEDBACK_SCHEDULE, midnight + AFTER_LOADING)
        self._tick_schedule(ALERT_SCHEDULE, midnight + AFTER_LOADING)
        self._tick_sensor(PLAYBOOKS_SENSOR)
        for hour in (AFTERNOON, EVENING):
            self.clock.set(midnight + hour)
            self._tick_sensor(DUE_SENSOR)

    def _tick_schedule(self, name: str, moment: datetime) -> None:
        self.clock.set(moment)
        definitions = self.launcher.definitions
        with dg.build_schedule_context(
            instance=self.launcher.instance,
            scheduled_execution_time=moment,
            repository_def=definitions.get_repository_def(),
            resources=self._resources("clock", "warehouse"),
        ) as context:
            schedule = definitions.resolve_schedule_def(name)
            ticked = schedule.evaluate_tick(context)
        self._run_all(ticked.run_requests or [], schedule.job_name, {SCHEDULE_TAG: name})

    def _tick_sensor(self, name: str) -> None:
        definitions = self.launcher.definitions
        with dg.build_sensor_context(
            instance=self.launcher.instance,
            cursor=self.cursors.get(name),
            repository_def=definitions.get_repository_def(),
            resources=self._resources("warehouse", "settings", "clock"),
        ) as context:
            sensor = definitions.resolve_sensor_def(name)
            ticked = sensor.evaluate_tick(context)
        self.cursors[name] = ticked.cursor
        self._run_all(ticked.run_requests or [], sensor.job.name, {SENSOR_TAG: name})

    def _resources(self, *names: str) -> dict[str, object]:
        """What the ticks ask for, as a daemon would give it to them."""
        return {name: getattr(self, name) for name in names}

    def _run_all(self, requests: Sequence[dg.RunRequest], job: str, tags: dict[str, str]) -> None:
        for request in requests:
            key = {RUN_KEY_TAG: request.run_key} if request.run_key else {}
            if key and self.launcher.instance.get_runs_count(dg.RunsFilter(tags={**tags, **key})):
                continue
            self.launcher.run(
                request.job_name or job,
                run_config=request.run_config,
                tags={**request.tags, **tags, **key},
                partition_key=request.partition_key,
            )
            self.runs += 1
