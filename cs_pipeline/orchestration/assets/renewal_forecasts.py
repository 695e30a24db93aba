"""Asset of renewal forecasts: how likely each renewal ahead was at the end of a week."""

import dagster as dg
import pandas as pd

from cs_pipeline.kpis.forecast import record_forecasts
from cs_pipeline.orchestration.assets.weekly import weekly_asset
from cs_pipeline.orchestration.keys import (
    HEALTH_SCORES,
    RENEWAL_FORECASTS,
    RENEWALS,
    RENEWALS_GROUP,
    SCORE_CALIBRATIONS,
)
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.warehouse.connection import Warehouse


def build_renewal_forecasts(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/renewal_forecasts`; a range of weeks is one statement."""

    @weekly_asset(
        RENEWAL_FORECASTS,
        weeks,
        deps=[HEALTH_SCORES, SCORE_CALIBRATIONS, RENEWALS],
        group=RENEWALS_GROUP,
        kinds={"sql", "postgres"},
        description=(
            "Renewals within 92 days of the week's end, each with how likely it is: the share of earlier renewals that "
            "were renewed by accounts as likely to leave (of the same band, where no likelihood is stated) about as "
            "long before, with its interval, drawn to that of all where there were few. Made of what was known at the "
            "week's end, and kept; the CSM's own call stands beside it. The KPIs forecast_accuracy and forecast_brier "
            "hold it against what happened. See docs/kpis.md."
        ),
    )
    def renewal_forecasts(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], scope: ScopeResource
    ) -> dg.MaterializeResult:
        asked = weeks_of(context)
        done = record_forecasts(warehouse, asked, scope.scope())
        for week in done:
            metadata = {"renewals": week.renewals, "mrr": week.mrr, "called_by_csm": week.called}
            if week.expected_mrr is not None:
                metadata["expected_mrr"] = week.expected_mrr
            context.add_asset_metadata(metadata, partition_key=partition_of(week.week))
        shown = table(pd.DataFrame(done[-WEEKS_SHOWN:]))
        context.add_asset_metadata({"by_week": shown}, partition_key=partition_of(asked[-1]))
        return dg.MaterializeResult()

    return renewal_forecasts


WEEKS_SHOWN = 13
