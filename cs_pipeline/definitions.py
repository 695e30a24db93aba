"""The code location that Dagster loads: nothing is read or built before Dagster asks for it."""

import gc

import dagster as dg

from cs_pipeline.orchestration.json_logs import write_json_logs
from cs_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """What `orchestration.build` puts together for the settings of the environment."""
    settings = load_settings()
    if settings.log_format == "json":
        write_json_logs()  # also where Dagster's own command started the process, as for a run in a pod of its own
    # All that is loaded stays; to look through it for garbage, again and again, is an eighth of every run's start.
    gc.disable()
    try:
        from cs_pipeline.orchestration.build import build_defs

        return build_defs(settings)
    finally:
        gc.freeze()
        gc.enable()
