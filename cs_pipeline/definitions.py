"""The code location that Dagster loads: nothing is read or built before Dagster asks for it."""

import dagster as dg

from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """What `orchestration.build` puts together for the settings of the environment."""
    return build_defs(load_settings())
