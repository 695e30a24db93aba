"""Warn when the score that counts does not know who leaves, or a single metric knows better."""

import dagster as dg

from cs_pipeline.backtest.knowledge import what_the_score_knows
from cs_pipeline.orchestration.keys import HEALTH_SCORES
from cs_pipeline.warehouse.connection import Warehouse


@dg.asset_check(
    asset=HEALTH_SCORES,
    description=(
        "The score that counts tells leavers from stayers better than chance, and no single metric does so clearly "
        "better. Passes where too few have left to say. See docs/backtest.md and docs/fit.md."
    ),
)
def score_knows_who_leaves(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """It may be run by itself, and is part of every weekly run."""
    found = what_the_score_knows(warehouse)
    return dg.AssetCheckResult(
        passed=found.knows,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.words,
        metadata={"looked_at": found.design.words, "best_metric": found.best_metric, "best_auc": found.best_auc},
    )
