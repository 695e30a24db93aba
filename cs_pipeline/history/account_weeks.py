"""Build the select of what is scored: a row for each account of a week, with all inputs of the models.

Besides the metrics these are values carried forward from earlier weeks, where each account stood the week before, and
what a person set in place of the model. What is made of it is up to `health`.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np
import pandas as pd

from cs_pipeline.health.scoring import Floats, Integers
from cs_pipeline.health.selection import RULE_COLUMNS
from cs_pipeline.health.specification import ScoredMetric, ScoreModel
from cs_pipeline.health.steadiness import NO_BAND, Standing
from cs_pipeline.health.weekly import Override
from cs_pipeline.history.scope import STORED, Schemas, Scope
from cs_pipeline.history.weeks import WEEK

MART = STORED.account_weeks


def account_weeks(
    models: Iterable[ScoreModel], week: date, scope: Scope, *, schemas: Schemas = STORED, but: str = "false"
) -> str:
    """Columns account_id, RULE_COLUMNS, metrics of `models`, carried values, overrides, and the models' earlier bands.

    Accounts for which `but`, SQL about `account_weeks`, is true are left out.
    """
    models = list(models)
    return f"""
        select
            account_weeks.account_id,
            {", ".join(f"account_weeks.{column}" for column in RULE_COLUMNS)},
            {", ".join(metric_columns(models, mart=schemas.account_weeks))},
            overrides.override_id,
            overrides.score as override_score,
            overrides.band as override_band
            {"".join(_memory_columns(models))}
        from {schemas.account_weeks} as account_weeks
        left join lateral (
            select score_overrides.*
            from cs.score_overrides
            where
                score_overrides.account_id = account_weeks.account_id
                and date '{week}' between score_overrides.from_week and score_overrides.until_week
                and (score_overrides.withdrawn_from is null or score_overrides.withdrawn_from > date '{week}')
            order by score_overrides.override_id desc
            limit 1
        ) as overrides on true
        {"".join(_memory_joins(models, week, schemas))}
        where
            account_weeks.week = date '{week}'
            and {scope.condition("account_weeks", "account_weeks.week")}
            and not ({but})
    """


def metric_columns(models: Iterable[ScoreModel], alias: str = "account_weeks", mart: str = MART) -> list[str]:
    """Select expressions for the metrics of `models` of a row of the mart, each once, with carried values beside."""
    metrics = {metric.column: metric for model in models for metric in model.metrics}
    names = dict.fromkeys(metric.metric for metric in metrics.values())
    own = [f"{alias}.{name}::double precision as {name}" for name in names]
    return own + [_carried(metric, alias, mart) for metric in metrics.values() if metric.carry_weeks]


def _carried(metric: ScoredMetric, alias: str, mart: str) -> str:
    return f"""coalesce({alias}.{metric.metric}, (
        select earlier.{metric.metric}
        from {mart} as earlier
        where
            earlier.account_id = {alias}.account_id
            and earlier.week < {alias}.week
            and earlier.week >= {alias}.week - {7 * metric.carry_weeks}
            and earlier.{metric.metric} is not null
        order by earlier.week desc
        limit 1
    ))::double precision as {metric.column}"""


def standing_before(model: ScoreModel, frame: pd.DataFrame) -> Standing:
    """Where the accounts stood under this version of the model the week before; nowhere when they had no score."""
    names = {band.band: position for position, band in enumerate(model.bands)}
    band = np.asarray(frame[f"{model.model}_band"].map(names).fillna(NO_BAND), dtype=np.int64)
    return Standing(band, _whole(frame[f"{model.model}_weeks_in_band"]), _whole(frame[f"{model.model}_leaning"]))


def earlier_scores(model: ScoreModel, frame: pd.DataFrame) -> Floats:
    """Scores that the model's escalation compares with; NaN where there was none."""
    return frame[f"{model.model}_earlier_score"].to_numpy(dtype=np.float64, na_value=np.nan)


def overrides_of(model: ScoreModel, frame: pd.DataFrame) -> Override:
    """What people set in place of the model; a band that the model does not have sets nothing."""
    names = {band.band: position for position, band in enumerate(model.bands)}
    score = frame["override_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    band = np.asarray(frame["override_band"].map(names).fillna(NO_BAND), dtype=np.int64)
    return Override(score, band)


def _whole(column: pd.Series) -> Integers:
    return np.asarray(column.fillna(0), dtype=np.int64)


def _memory_columns(models: Iterable[ScoreModel]) -> Iterator[str]:
    for model in models:
        if model.remembers:
            name = model.model
            yield f""",
            {_own(f"{name}_before", "band")} as {name}_band,
            {name}_before.weeks_in_band as {name}_weeks_in_band,
            {name}_before.leaning as {name}_leaning"""
        if model.escalation:
            yield f""",
            {_own(f"{model.model}_earlier", "score")} as {model.model}_earlier_score"""


def _own(alias: str, column: str) -> str:
    """What the model itself said, whatever a person set in its place; null where it said nothing."""
    return f"case when {alias}.override_id is null then {alias}.{column} else {alias}.model_{column} end"


def _memory_joins(models: Iterable[ScoreModel], week: date, schemas: Schemas) -> Iterator[str]:
    for model in models:
        if model.remembers:
            yield _join(model, f"{model.model}_before", week - WEEK, schemas)
        if model.escalation:
            yield _join(model, f"{model.model}_earlier", week - model.escalation.over_weeks * WEEK, schemas)


def _join(model: ScoreModel, alias: str, week: date, schemas: Schemas) -> str:
    return f"""
        left join {schemas.scores} as {alias}
            on {alias}.account_id = account_weeks.account_id
            and {alias}.week = date '{week}'
            and {alias}.model = '{model.model}'
            and {alias}.model_version = '{model.version}'
    """
