"""Settings of Celery that launcher, executor and workers must agree on.

Redis gives a message to another worker when nobody has acknowledged it for `visibility_timeout`. Ours are acknowledged
when the run or step has ended, so the timeout is longer than any run may take; a run whose worker is gone is found
earlier by run monitoring, and a message that comes again finds its run ended, and leaves it alone.
"""

from typing import Any

from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings

RUNS_QUEUE = "dagster"
"""Of runs; the name that dagster-celery gives it."""
STEPS_QUEUE = "steps"
"""Of steps: another, so that runs which wait for their steps never take the place of these."""
LONGEST_RUN = 86_400
"""Seconds; `max_runtime_seconds` of deploy/dagster.celery.yaml."""

CONFIG: dict[str, Any] = {
    "task_acks_late": True,  # a message goes when its work has ended, not when it begins
    "task_reject_on_worker_lost": True,  # of a process that is killed while its worker lives
    "worker_prefetch_multiplier": 1,  # nobody keeps what another could do now
    "broker_transport_options": {"visibility_timeout": LONGEST_RUN + 3_600},
    "result_backend_transport_options": {"visibility_timeout": LONGEST_RUN + 3_600},
    "result_expires": LONGEST_RUN + 3_600,
    "broker_connection_retry_on_startup": True,
    "worker_redirect_stdouts": False,  # what runs log is no warning of Celery's
}


def broker_of(settings: Settings) -> str:
    """The address of Redis. Raises UserError where it is not set."""
    if settings.celery_broker is None:
        raise UserError("CS_PIPELINE_CELERY_BROKER is not set; expected as redis://:password@host:6379/0")
    return settings.celery_broker.get_secret_value()


def executor_config(settings: Settings, queue: str) -> dict[str, Any]:
    """Configuration of dagster-celery's executor; the address stays out of it, which the UI may show."""
    broker_of(settings)
    address = {"env": "CS_PIPELINE_CELERY_BROKER"}
    return {"broker": address, "backend": address, "config_source": {**CONFIG, "task_default_queue": queue}}
