"""Say whether the database answers and has the tables that this code needs; for probes, which ask again and again."""

import time

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import version_of

ASKED_EVERY = 1.0  # seconds


def why_not_ready(warehouse: Warehouse) -> str:
    """In words; empty when all is there. Names neither the server nor its role: whoever can reach a probe reads it."""
    try:
        version = version_of(warehouse)
    except UserError:
        return "the database does not answer, or refuses what it is asked"
    if version.current is None:
        return f"the tables are not there yet, {version.newest} is needed: `cs-pipeline warehouse migrate`"
    if not version.is_newest:
        behind = version.current < version.newest
        mend = "`cs-pipeline warehouse migrate`" if behind else "install the version of the code that made them"
        return f"the tables are at {version.current}, and this code needs {version.newest}: {mend}"
    return ""


def wait_until_ready(warehouse: Warehouse, seconds: float) -> None:
    """Return when all is there. Raises UserError when it is not after so many seconds."""
    deadline = time.monotonic() + seconds
    while why_not := why_not_ready(warehouse):
        if time.monotonic() >= deadline:
            raise UserError(f"Not ready at {warehouse.location}: {why_not}")
        time.sleep(ASKED_EVERY)
