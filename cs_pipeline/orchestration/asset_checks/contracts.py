"""Warn of contracts that contradict their accounts or each other; to correct them is for people."""

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.history.contract_doubts import contract_doubts
from cs_pipeline.orchestration.keys import SUBSCRIPTION_TERMS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.warehouse.connection import Warehouse

MOST_SHOWN = 200


@dg.asset_check(
    asset=SUBSCRIPTION_TERMS,
    description=(
        "No account has left while a paid contract of it runs, no renewal date has been passed for long, and contracts "
        "do not all have an end. A warning names accounts and subscriptions. See docs/contracts.md."
    ),
)
def contracts_are_beyond_doubt(
    warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """It may be run by itself, and is part of every weekly run."""
    doubts = contract_doubts(warehouse, clock.now())
    return dg.AssetCheckResult(
        passed=doubts.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "doubts": len(doubts),
            "by_doubt": {str(doubt): int(count) for doubt, count in doubts["doubt"].value_counts().items()},
            "shown": table(doubts.head(MOST_SHOWN)),
        },
    )
