"""Jobs that look back, launched by hand: the backtest, and whether plays help."""

import dagster as dg

from cs_pipeline.orchestration.keys import BACKTEST, BACKTEST_JOB, EFFECTS_JOB, PLAY_EFFECTS
from cs_pipeline.orchestration.run_owner import at_most, owned_executor

backtest_job = dg.define_asset_job(
    BACKTEST_JOB,
    selection=dg.AssetSelection.assets(BACKTEST),
    description="Holds all score models against what happened, over all weeks of the marts. Changes nothing.",
    tags=at_most(hours=12),
    executor_def=owned_executor,
)
effects_job = dg.define_asset_job(
    EFFECTS_JOB,
    selection=dg.AssetSelection.assets(PLAY_EFFECTS),
    description="Holds accounts that plays enrolled against those they held out. Changes nothing.",
    tags=at_most(hours=12),
    executor_def=owned_executor,
)
