"""Operations hear of a failed run: in words, with a link, and once a day while the job goes on failing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import time_machine

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.sensors.failed_runs import failed_run_sensor
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dg.op(config_schema={"fails": bool})
def read(context: dg.OpExecutionContext) -> None:
    if context.op_config["fails"]:
        raise UserError("the CRM cannot be read")


@dg.job
def hourly() -> None:
    read()


@dg.job
def nightly() -> None:
    read()


class Operations:
    """Runs jobs at moments, and asks the sensor about each failure."""

    def __init__(self, warehouse: Warehouse, instance: dg.DagsterInstance, home: Path) -> None:
        self.warehouse, self.instance = warehouse, instance
        self.settings = Settings(home=home)

    def run(self, hours: float, *, fails: bool, job: dg.JobDefinition = hourly) -> None:
        with time_machine.travel(NOON + timedelta(hours=hours), tick=True):
            config = {"ops": {"read": {"config": {"fails": fails}}}}
            result = job.execute_in_process(run_config=config, instance=self.instance, raise_on_error=False)
            assert result.success != fails
            if fails:
                self._ask(result)

    def _ask(self, result: dg.ExecuteInProcessResult) -> None:
        with dg.build_run_status_sensor_context(
            sensor_name=failed_run_sensor.name,
            dagster_instance=self.instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
            resources={"warehouse": self.warehouse, "settings": self.settings, "clock": Clock(NOON)},
        ).for_run_failure() as context:
            failed_run_sensor(context)

    def told(self) -> list[tuple]:
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("select subject, recipient, body_text from cs.captured_messages order by action_key")
            return cursor.fetchall()


@pytest.fixture
def operations(warehouse: Warehouse, tmp_path: Path) -> Iterator[Operations]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield Operations(warehouse, instance, tmp_path)


def test_a_failed_run_is_told_with_its_error_and_a_link(operations: Operations) -> None:
    operations.run(0, fails=True)
    ((subject, recipient, text),) = operations.told()
    assert (subject, recipient) == ("The run of hourly failed", "#cs-pipeline")
    assert "hourly" in text
    assert "http://127.0.0.1:3000/runs/" in text


def test_a_job_that_goes_on_failing_is_told_once_a_day(operations: Operations) -> None:
    for hours in (0, 1, 2, 3):
        operations.run(hours, fails=True)
    assert len(operations.told()) == 1
    operations.run(12, fails=True)  # another day
    operations.run(13, fails=True)
    assert len(operations.told()) == 2


def test_a_job_that_fails_again_after_it_was_well_is_told_again_and_so_is_another(operations: Operations) -> None:
    operations.run(0, fails=True)
    operations.run(1, fails=False)
    operations.run(2, fails=True)
    operations.run(3, fails=True, job=nightly)
    assert len(operations.told()) == 3
