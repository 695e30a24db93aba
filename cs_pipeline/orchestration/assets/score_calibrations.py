"""Asset of likelihoods: how likely accounts of each score are to leave within 90 days, stated week by week."""

import dagster as dg
import pandas as pd

from cs_pipeline.backtest.calibrations import CalibratedWeek, record_likelihoods
from cs_pipeline.backtest.distributions import record_distributions
from cs_pipeline.backtest.likelihood import Calibration
from cs_pipeline.orchestration.assets.weekly import weekly_asset
from cs_pipeline.orchestration.keys import HEALTH_GROUP, HEALTH_SCORES, SCORE_CALIBRATIONS, SUBSCRIPTION_TERMS
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.reports.scores.charts import likelihood_by_score
from cs_pipeline.warehouse.connection import Warehouse


def build_score_calibrations(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/score_calibrations`."""

    @weekly_asset(
        SCORE_CALIBRATIONS,
        weeks,
        deps=[HEALTH_SCORES, SUBSCRIPTION_TERMS],
        group=HEALTH_GROUP,
        kinds={"python", "postgres"},
        description=(
            "Likelihood of leaving within 90 days, by score, for every model version that counts: learned only from "
            "windows that had closed by the end of the week, falling as the score rises, with its interval. Nothing is "
            "stated where fewer than 20 left. cs.active_scores has it beside each score. See docs/likelihood.md."
        ),
    )
    def score_calibrations(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:
        done = record_likelihoods(warehouse, weeks_of(context))
        record_distributions(warehouse, weeks_of(context))
        newest: dict[str, CalibratedWeek] = {}
        for each in done:
            metadata = {"model": each.model, "learned_from_departures": each.departures}
            context.add_asset_metadata(metadata, partition_key=partition_of(each.week))
            newest[each.model] = each
        for each in newest.values():
            shown = _steps(each)
            metadata = {f"steps_of_{each.model}": table(shown)}
            if isinstance(each.stated, Calibration):
                metadata[f"likelihood_of_{each.model}"] = picture(likelihood_by_score(shown), "Likelihood by score")
            context.add_asset_metadata(metadata, partition_key=partition_of(each.week))
        return dg.MaterializeResult()

    return score_calibrations


def _steps(week: CalibratedWeek) -> pd.DataFrame:
    """Columns score_from, score_to, likelihood, low, high, observations, departures; or a row that says why not."""
    found = week.stated
    if not isinstance(found, Calibration):
        return pd.DataFrame({"too_little": [found.reason]})
    return pd.DataFrame(
        {
            "score_from": found.score_from,
            "score_to": [*found.score_from[1:], 100.0],
            "likelihood": found.likelihood.round(4),
            "low": found.low.round(4),
            "high": found.high.round(4),
            "observations": found.observations.astype(int),
            "departures": found.departures.astype(int),
        }
    )
