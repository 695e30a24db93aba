"""Reproduce scores from what was known at a moment, and compare them with the stored ones.

The dbt models that build every week build the account-weeks again, from the rows that had arrived by then, in a scratch
schema that is dropped afterwards. How they are scored there and compared is in `reproduced_scores`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.errors import UserError
from cs_pipeline.history.reproduced_scores import SCRATCH_SCHEMA, Reproduction, score_and_compare, versions_that_count
from cs_pipeline.history.weeks import WEEK, require_marts, weeks_between
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import run_models, week_variables

LOCK = "select pg_try_advisory_xact_lock(hashtext(%s))"
MODELS = "+fct_account_weeks"


def reproduce(
    warehouse: Warehouse,
    first: date,
    last: date,
    known_at: datetime,
    *,
    on_step: Callable[[str], None],
    log: Path,
    folder: Path = DBT_PROJECT,
) -> Reproduction:
    """What the weeks `first` to `last` (Mondays) score from the rows that had arrived before `known_at`.

    `on_step` is told in words what happens; `folder` is dbt's, and what it says goes to `log`. Changes neither marts
    nor scores. Raises UserError for weeks that are none or were not over by then, for versions that are no longer
    computed, and while somebody else reproduces scores.
    """
    weeks_between(first, last)
    ended = datetime.combine(last + WEEK, time(), UTC)
    if known_at < ended:
        raise UserError(f"At {known_at:%Y-%m-%d %H:%M} the week {last} was not over; choose {ended:%Y-%m-%d} or later")
    require_marts(warehouse, "fct_account_weeks", "dim_accounts")
    versions_that_count(warehouse, first, last)  # raises now what would be raised after minutes of building
    with _scratch_schema(warehouse):
        on_step("Building the weeks as they were known then")
        _build(warehouse, first, last, known_at, folder, log)
        return score_and_compare(
            warehouse, first, last, on_week=lambda model, week: on_step(f"Scoring week {week} by {model}")
        )


@contextmanager
def _scratch_schema(warehouse: Warehouse) -> Iterator[None]:
    """A schema for one reproduction at a time; what one that broke off left behind goes with the next."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(LOCK, (SCRATCH_SCHEMA,))
        if cursor.fetchone() != (True,):
            raise UserError("Somebody else reproduces scores in this warehouse; wait until that is done")
        _drop(warehouse)
        try:
            yield
        finally:
            _drop(warehouse)


def _drop(warehouse: Warehouse) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("set client_min_messages = warning")
        cursor.execute(f"drop schema if exists {SCRATCH_SCHEMA} cascade")


def _build(warehouse: Warehouse, first: date, last: date, known_at: datetime, folder: Path, log: Path) -> None:
    variables = week_variables(first, last) | {
        "late_rows": "include",  # what was late is in it when it had arrived by then
        "known_at": known_at.isoformat(),
        "scratch_schema": SCRATCH_SCHEMA,
    }
    # A target of its own: models of the scratch schema are another project to dbt, which keeps what it parsed.
    run_models(warehouse, MODELS, variables, folder=folder, target="replay", log=log)
