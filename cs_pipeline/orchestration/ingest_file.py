"""Read the team's `ingest.py`, which says what dlt is to land: sources by name, when, and how old that may become.

It is Python, as dlt's sources are, and stands in the folder of `CS_PIPELINE_CONFIG`. What becomes of it is up to
`assets.landing`. Nothing but `build` imports this module, and only where there is such a file: dlt is an extra.
"""

import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")  # before dlt is imported; who wants it sets it

import dlt
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connectors_file import SOURCE_NAME

HOURLY = "50 * * * *"  # alerts are asked five minutes past
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class IngestFile:
    """What it says. `schedule`: a cron line in UTC. `fresh_within`: what was landed longer ago is stale."""

    path: Path
    sources: tuple[DltSource, ...]
    schedule: str = HOURLY
    fresh_within: timedelta = A_DAY


def read_ingest_file(path: Path) -> IngestFile:
    """Run the file and hold what it defines to what it is to define.

    Raises UserError, with the line where the file itself fails.
    """
    module = _run(path)
    sources = getattr(module, "SOURCES", None)
    if not isinstance(sources, Mapping) or not sources:
        raise UserError(
            f'{path} lacks SOURCES: a dictionary of dlt sources by name, such as {{"shop": sql_database(…)}}.'
        )
    schedule = getattr(module, "SCHEDULE", HOURLY)
    if not isinstance(schedule, str):
        raise UserError(f"{path}: SCHEDULE is {schedule!r}; expected a cron line in UTC, such as {HOURLY!r}.")
    fresh_within = getattr(module, "FRESH_WITHIN", A_DAY)
    if not isinstance(fresh_within, timedelta):
        raise UserError(f"{path}: FRESH_WITHIN is {fresh_within!r}; expected a timedelta, such as timedelta(days=1).")
    return IngestFile(path, tuple(_source(path, *each) for each in sources.items()), schedule, fresh_within)


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("cs_pipeline_ingest", path)
    assert spec, "the path ends in .py"
    assert spec.loader, "the path ends in .py"
    module = importlib.util.module_from_spec(spec)
    if (beside := str(path.parent.resolve())) not in sys.path:
        sys.path.append(beside)  # `dlt init` copies sources there
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.msg}") from None
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{path}:{lines[-1]}" if lines else f"{path}"
        hint = "nothing may be read while the file is; of databases say `defer_table_reflect=True`"
        raise UserError(f"{where}: {type(error).__name__}: {error} ({hint})") from None
    return module


def _source(path: Path, name: object, given: object) -> DltSource:
    """A source that is called `name`, whatever its library calls it."""
    if not isinstance(name, str) or not SOURCE_NAME.fullmatch(name):
        raise UserError(f"{path}: SOURCES: {name!r} cannot name a source; use lower-case letters, digits and _.")
    if isinstance(given, DltSource):
        return given.clone(with_name=name)
    resources = [given] if isinstance(given, DltResource) else given
    if not isinstance(resources, Sequence) or not all(isinstance(each, DltResource) for each in resources):
        raise UserError(f"{path}: SOURCES[{name!r}] is {given!r}; expected a dlt source, a resource or a list of them.")
    return dlt.source(lambda: resources, name=name)()
