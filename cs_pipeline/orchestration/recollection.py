"""Account-weeks as they were known at a moment, built by dbt in a scratch schema that is dropped afterwards.

The same models build them as every week, from the rows that had arrived by then. What is done with them is up to
`history.recollection`.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.history.reproduction import (
    SCRATCH_SCHEMA,
    Reproduction,
    reproduce_scores,
    versions_that_count,
)
from cs_pipeline.history.weeks import WEEK, require_marts, weeks_between
from cs_pipeline.orchestration.dbt import DBT_PROJECT
from cs_pipeline.orchestration.resources import dbt_executable, week_variables
from cs_pipeline.warehouse.connection import Warehouse

LOCK = "select pg_try_advisory_xact_lock(hashtext(%s))"


def recollect(
    warehouse: Warehouse, first: date, last: date, known_at: datetime, *, on_step: Callable[[str], None], log: Path
) -> Reproduction:
    """What the weeks `first` to `last` (Mondays) score from the rows that had arrived before `known_at`.

    `on_step` is told in words what happens; what dbt says goes to `log`. Changes neither marts nor scores.
    Raises UserError for weeks that are none or were not over by then, for versions that are no longer computed, and
    while somebody else replays.
    """
    weeks_between(first, last)
    ended = datetime.combine(last + WEEK, time(), UTC)
    if known_at < ended:
        raise UserError(f"At {known_at:%Y-%m-%d %H:%M} the week {last} was not over; choose {ended:%Y-%m-%d} or later")
    require_marts(warehouse, "fct_account_weeks", "dim_accounts")
    versions_that_count(warehouse, first, last)  # raises now what would be raised after minutes of building
    with _scratch(warehouse):
        on_step("Building the weeks as they were known then")
        _build(warehouse, first, last, known_at, log)
        return reproduce_scores(
            warehouse, first, last, on_week=lambda model, week: on_step(f"Scoring week {week} by {model}")
        )


@contextmanager
def _scratch(warehouse: Warehouse) -> Iterator[None]:
    """A schema for one replay at a time; what a replay that broke off left behind goes with the next one."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(LOCK, (SCRATCH_SCHEMA,))
        if cursor.fetchone() != (True,):
            raise UserError("Somebody else replays scores in this warehouse; wait until that is done")
        _drop(warehouse)
        try:
            yield
        finally:
            _drop(warehouse)


def _drop(warehouse: Warehouse) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("set client_min_messages = warning")
        cursor.execute(f"drop schema if exists {SCRATCH_SCHEMA} cascade")


def _build(warehouse: Warehouse, first: date, last: date, known_at: datetime, log: Path) -> None:
    # A target of its own: models of the scratch schema are another project to dbt, which keeps what it parsed.
    target = DBT_PROJECT / "target" / "replay"
    variables = week_variables(first, last) | {
        "late_rows": "include",  # what was late is in it when it had arrived by then
        "known_at": known_at.isoformat(),
        "scratch_schema": SCRATCH_SCHEMA,
    }
    environment = os.environ | warehouse.for_other_programs().dbt_environment()
    environment |= {"CS_PIPELINE_DBT_COHORT": "", "CS_PIPELINE_DBT_SEGMENT": ""}
    environment |= {f"CS_PIPELINE_DBT_{name.upper()}": value for name, value in variables.items()}
    command = [dbt_executable(), "--no-use-colors", "run", "--select", "+fct_account_weeks"]
    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", str(target)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [*command, *places, "--log-path", str(target)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        last_words = "\n".join(log.read_text(encoding="utf-8").splitlines()[-15:])
        raise UserError(f"dbt could not build the weeks as they were known then ({log}):\n{last_words}")
