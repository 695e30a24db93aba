"""Score models as they were when they scored: what `cs.score_models` keeps of each version."""

from pydantic import ValidationError

from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse


def model_that_scored(warehouse: Warehouse, name: str) -> ScoreModel | None:
    """The version of the model `name` that counts in the newest week that is scored.

    None when the model counts for nobody then, or when its definition is of a form that is no longer read.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select definition
            from cs.score_models
            where
                model = %(model)s
                and model_version in (
                    select model_version
                    from cs.health_scores
                    where
                        week = (select max(week) from cs.health_scores)
                        and model = %(model)s
                        and is_active
                    limit 1
                )
            """,
            {"model": name},
        )
        found = cursor.fetchone()
    try:
        return ScoreModel.model_validate(found[0]) if found else None
    except ValidationError:
        return None
