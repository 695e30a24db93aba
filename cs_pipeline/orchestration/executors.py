"""Choose what executes the steps of the weekly job: one process, or several where there are slices to spread."""

import dagster as dg

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.celery_settings import STEPS_QUEUE, executor_config
from cs_pipeline.orchestration.run_owner import owned, owned_executor
from cs_pipeline.settings import Settings, SlicesOn

EXTRAS: dict[SlicesOn, str] = {"celery": "celery", "kubernetes": "k8s"}
"""The extra that brings the executor's library."""


def executor_of_slices(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of the weekly job. Raises UserError where its library is not installed, or no broker is set."""
    if settings.score_slices == 1:
        return owned_executor
    if settings.slices_on == "processes":
        # Forked from one process that has loaded the code, which takes seconds in each otherwise.
        start = {"forkserver": {"preload_modules": ["cs_pipeline.definitions"]}}
        return owned(dg.multiprocess_executor).configured(
            {"max_concurrent": settings.score_slices, "start_method": start}
        )
    try:
        return _on_celery(settings) if settings.slices_on == "celery" else _in_pods(settings)
    except ImportError:
        raise UserError(
            f"CS_PIPELINE_SLICES_ON is {settings.slices_on}, and its library is not installed: "
            f"pip install 'cs-pipeline[{EXTRAS[settings.slices_on]}]'"
        ) from None


def _on_celery(settings: Settings) -> dg.ExecutorDefinition:
    from celery.result import allow_join_result
    from dagster_celery import celery_executor

    # The run itself may be a task of Celery, which are not to wait for others: these are on a queue of their own.
    return owned(celery_executor, allow_join_result).configured(executor_config(settings, STEPS_QUEUE))


def _in_pods(settings: Settings) -> dg.ExecutorDefinition:
    from dagster_k8s import k8s_job_executor

    return owned(k8s_job_executor).configured({"max_concurrent": settings.score_slices})
