"""Score models as they were when they scored: what `cs.score_models` keeps of each version."""

from pydantic import ValidationError

from cs_pipeline.errors import UserError
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse


def model_that_scored(warehouse: Warehouse, name: str) -> ScoreModel | None:
    """The version of the model `name` that counts in the newest week that is scored; for most accounts, if of several.

    None when the model counts for nobody then. Raises UserError when its definition is of a form that is no longer
    read: what it was cannot be said then, and something else must not be taken for it.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select kept.model_version, kept.definition
            from (
                select model_version, count(*) as accounts
                from cs.health_scores
                where
                    week = (select max(week) from cs.health_scores)
                    and model = %(model)s
                    and is_active
                group by model_version
            ) as counting
            inner join cs.score_models as kept
                on kept.model = %(model)s and counting.model_version = kept.model_version
            order by counting.accounts desc, kept.model_version
            limit 1
            """,
            {"model": name},
        )
        found = cursor.fetchone()
    if found is None:
        return None
    version, definition = found
    return read_definition(name, version, definition)


def read_definition(model: str, version: str, definition: object) -> ScoreModel:
    """A kept definition as a model. Raises UserError when it is of a form that is no longer read."""
    try:
        return ScoreModel.model_validate(definition)
    except ValidationError:
        raise UserError(
            f"Version {version} of {model} was kept in a form that is no longer read: what it did cannot be worked "
            "out again. Score the week again with `cs-pipeline backfill`; `cs-pipeline model diff` compares with "
            "another model when --against names it"
        ) from None
