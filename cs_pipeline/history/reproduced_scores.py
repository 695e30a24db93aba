"""Score the account-weeks in a scratch schema, and compare with the stored scores.

Who builds the account-weeks is `reproduction`. They are scored by the very versions that count in the stored weeks, so
that a difference is one of data. Marts and `cs` are only read.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from pydantic import ValidationError

from cs_pipeline.errors import UserError
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.selection import beside
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history import stale_weeks
from cs_pipeline.history.scope import STORED, Schemas, Scope
from cs_pipeline.history.scores import write_week
from cs_pipeline.history.statistics import analyze_grown
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query, read_rows
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.layout import Place
from cs_pipeline.warehouse.spread import is_spread, place_table

SCRATCH_SCHEMA = "cs_replay"
SCRATCH = Schemas(SCRATCH_SCHEMA, SCRATCH_SCHEMA)


@dataclass(frozen=True)
class Reproduction:
    """How the stored scores differ from those that come out of what was known then."""

    compared: int
    """Stored scores that count, in the weeks asked for."""
    differences: pd.DataFrame
    """Columns week, account, stored_score, known_score, difference, stored_band, known_band, because, arr; those in
    another band first. Without a stored score the account was not in the week, and the other way round. `because`
    names the metrics that have another value. Scores are the model's, whatever a person set."""


def score_and_compare(
    warehouse: Warehouse, first: date, last: date, *, on_week: Callable[[str, date], None]
) -> Reproduction:
    """Score the account-weeks in the scratch schema, and compare. `on_week` is told model and week, as they begin."""
    versions = versions_that_count(warehouse, first, last)
    _bring_weeks_before(warehouse, [model for model, _ in versions], first)
    with warehouse.arrow() as reading, warehouse.arrow() as writing:
        for model, weeks in versions:
            arithmetic = Arithmetic(model)
            for week in weeks:
                on_week(model.model, week)
                write_week(reading, writing, beside(model), [arithmetic], week, Scope(), SCRATCH)
                analyze_grown(writing, SCRATCH.scores)
                reading.commit()
    asked = (first.isoformat(), last.isoformat())
    differences = read_sql(__file__, "differences", scratch_scores=SCRATCH.scores)
    count = f"select count(*) as rows from {STORED.scores} where is_active and week between $1::date and $2::date"
    return Reproduction(read_rows(warehouse, count, asked)[0]["rows"], query(warehouse, differences, asked))


def versions_that_count(warehouse: Warehouse, first: date, last: date) -> list[tuple[ScoreModel, list[date]]]:
    """Versions that count for somebody, each with the weeks in which they do.

    Raises UserError for one that would come out as another version today.
    """
    rows = read_rows(
        warehouse,
        f"""
        select
            score_models.model,
            score_models.model_version,
            score_models.definition::text as definition,
            weeks.weeks
        from (
            select model, model_version, array_agg(distinct week order by week) as weeks
            from {STORED.scores}
            where is_active and week between $1::date and $2::date
            group by model, model_version
        ) as weeks
        inner join cs.score_models using (model, model_version)
        order by model, model_version
        """,
        (first.isoformat(), last.isoformat()),
    )
    return [(_as_it_scored(row["model"], row["model_version"], row["definition"]), row["weeks"]) for row in rows]


def _as_it_scored(model: str, version: str, definition: str) -> ScoreModel:
    """The model that a stored definition states, when it still means the same."""
    try:
        stated = ScoreModel.model_validate(json.loads(definition))
    except ValidationError:
        stated = None
    if stated is None or stated.version != version:
        raise UserError(
            f"Version {version} of {model} counts in these weeks, and is of a form that is no longer computed; "
            "score them again first, with `cs-pipeline backfill`"
        )
    return stated


def _bring_weeks_before(warehouse: Warehouse, models: Sequence[ScoreModel], first: date) -> None:
    """Copy the stored weeks that scoring looks back to: they are taken as they are, not as they were known."""
    reach = max(
        [stale_weeks.LOOK_BACK]
        + [metric.carry_weeks * WEEK for model in models for metric in model.metrics]
        + [model.escalation.over_weeks * WEEK for model in models if model.escalation]
    )
    before = f"week >= date '{first - reach}' and week < date '{first}'"
    versions = [(model.model, model.version) for model in models]
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"create table {SCRATCH.scores} (like {STORED.scores} including all)")
        if is_spread(cursor):
            place_table(cursor, SCRATCH.scores, Place.DISTRIBUTED)
        for source, target in ((STORED.scores, SCRATCH.scores), (STORED.account_weeks, SCRATCH.account_weeks)):
            cursor.execute(_SHARED_COLUMNS, (source, target))
            columns = ", ".join(name for (name,) in cursor.fetchall())
            which = "(model, model_version) in %s" if source == STORED.scores else "true"
            if versions:
                arguments = (tuple(versions),) if source == STORED.scores else None
                cursor.execute(
                    f"insert into {target} ({columns}) select {columns} from {source} where {before} and {which}",
                    arguments,
                )
        cursor.execute(f"analyze {SCRATCH.account_weeks}")


_SHARED_COLUMNS = """
    select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
    intersect
    select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""
