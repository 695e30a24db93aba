"""Warn when a model that counts looks at other accounts than before, or its likelihoods no longer come true."""

import dagster as dg

from cs_pipeline.backtest.drift import drift_of
from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.orchestration.keys import SCORE_CALIBRATIONS
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.reports.scores.charts import stability_over_time
from cs_pipeline.warehouse.connection import Warehouse


@dg.asset_check(
    asset=SCORE_CALIBRATIONS,
    description=(
        "Metrics and score of the models that count are distributed as in the 52 weeks before, or as in those that a "
        "fitted model has learned from (population stability index below 0.25, or what chance explains); as many left "
        "in the windows that closed last as was expected; and a fitted model still tells leavers from stayers. See "
        "docs/likelihood.md."
    ),
)
def score_has_not_drifted(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """It may be run by itself, and is part of every weekly run."""
    found = drift_of(warehouse)
    metadata: dict[str, dg.MetadataValue] = {}
    for each in found:
        if isinstance(each.shifts, TooLittle):
            continue
        this_week = each.shifts[each.shifts["week"] == each.week].drop(columns="week")
        metadata[f"stability_of_{each.model}"] = table(this_week.round(4).astype({"is_shifted": str}))
        metadata[f"chart_of_{each.model}"] = picture(stability_over_time(each.shifts), "Stability over time")
    return dg.AssetCheckResult(
        passed=all(each.is_steady for each in found),
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(each.words for each in found) or "No week was counted yet.",
        metadata=metadata,
    )
