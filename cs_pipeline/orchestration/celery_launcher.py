"""Launch runs on Celery's workers: dagster-celery's launcher, that knows whether the process of a run lives.

Its own takes a run for alive as long as Celery calls the task started, which nobody corrects when a worker is gone.
Here the process that executes a run says so in the database (`run_owner`). `deploy/dagster.celery.yaml` names it.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from celery import Celery
from dagster._core.launcher.base import CheckRunHealthResult  # what a launcher returns has no public name
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task, create_task

from cs_pipeline.orchestration.celery_settings import CONFIG, RUNS_QUEUE, broker_of
from cs_pipeline.orchestration.run_owner import health_of
from cs_pipeline.settings import Settings, load_settings


class CeleryLauncher(CeleryRunLauncher):
    """Runs as tasks of Celery, by the broker of the settings."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure: the settings say where the broker is."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """The launcher. Raises UserError where no broker is set."""
        address = broker_of(load_settings())
        return cls(RUNS_QUEUE, broker=address, backend=address, config_source=CONFIG, inst_data=inst_data)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """NOT_FOUND when the run's process is gone; RUNNING when it lives, or when nobody can say."""
        return health_of(run)


def worker_app(settings: Settings) -> Celery:
    """What a worker runs: the tasks of whole runs, and those of steps. Raises UserError where no broker is set."""
    address = broker_of(settings)
    app = make_app(
        {
            "broker": address,
            "backend": address,
            "config_source": CONFIG,
            "task_default_queue": RUNS_QUEUE,
            "include": [],
        }
    )
    for create in (create_execute_job_task, create_resume_job_task, create_task):
        create(app)
    return app
