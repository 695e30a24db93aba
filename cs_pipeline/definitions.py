"""The code location that Dagster loads: nothing is read or built before Dagster asks for it."""

import dagster as dg

from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.json_logs import write_json_logs
from cs_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """What `orchestration.build` puts together for the settings of the environment."""
    settings = load_settings()
    if settings.log_format == "json":
        write_json_logs()  # also where Dagster's own command started the process, as for a run in a pod of its own
    return build_defs(settings)
