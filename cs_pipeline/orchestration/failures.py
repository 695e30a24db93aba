"""What the operations channel is told, through the same Slack channel that plays use: of failed runs above all."""

import dagster as dg

from cs_pipeline.channels.message import Message
from cs_pipeline.channels.select import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def failure_message(run: dg.DagsterRun, words: str, settings: Settings, clock: Clock) -> Message:
    """What the operations channel reads. The run's id is the key, so it is told once."""
    text = f"The run of {run.job_name} failed: {words}\n{settings.ui_url}/runs/{run.run_id}"
    return to_operations("failed_run", run.run_id, f"The run of {run.job_name} failed", text, settings, clock)


def to_operations(what: str, which: str, subject: str, text: str, settings: Settings, clock: Clock) -> Message:
    """A message to the operations channel about `which` of `what`; those two are its key."""
    section = {"type": "section", "text": {"type": "plain_text", "text": text[:3000]}}
    return Message(
        action_key=f"{what}:{which}",
        channel="slack",
        recipient=settings.ops_channel,
        subject=subject,
        body_text=text,
        body_html=None,
        payload={"blocks": [section]},
        account_id="",
        playbook="operations",
        step=what,
        due_on=clock.now().date(),
        category="operations",
    )


def was_failing(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run of the same job that ended before this one, on the same day in UTC, failed too."""
    record = instance.get_run_record_by_id(run.run_id)
    if record is None:
        return False
    midnight = record.create_timestamp.replace(hour=0, minute=0, second=0, microsecond=0)
    ended = dg.RunsFilter(
        job_name=run.job_name,
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
        created_after=midnight,
        created_before=record.create_timestamp,
    )
    before = instance.get_runs(ended, limit=1)
    return bool(before) and before[0].status == dg.DagsterRunStatus.FAILURE


def build_failed_run_sensor() -> dg.SensorDefinition:
    """Watches every job of this code location."""

    @dg.run_failure_sensor(
        name="failed_run_sensor",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Posts a failed run, with its error and a link, to the operations channel in Slack: when a job begins to "
            "fail, and once a day while it goes on."
        ),
    )
    def sensor(
        context: dg.RunFailureSensorContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SkipReason | None:
        if settings.delivery == "live" and settings.slack_bot_token is None:
            return dg.SkipReason("no Slack token is set, so nobody is told")
        if was_failing(context.instance, context.dagster_run):
            return dg.SkipReason(f"{context.dagster_run.job_name} has failed before today, and operations know")
        words = (context.failure_event.message or "no reason given").strip()
        channels_for(settings, warehouse, clock)["slack"].deliver(
            [failure_message(context.dagster_run, words, settings, clock)]
        )
        return None

    return sensor
