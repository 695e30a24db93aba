"""Asset of renewal windows: which subscriptions come near their renewal date, and which let it pass."""

import dagster as dg

from cs_pipeline.history.renewal_windows import record_windows
from cs_pipeline.orchestration.dbt import ACCOUNT_WEEKS, SUBSCRIPTION_TERMS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.orchestration.scores import origin_of
from cs_pipeline.reports.scores.queries import windows_by_kind
from cs_pipeline.warehouse.connection import Warehouse

RENEWAL_WINDOWS = dg.AssetKey(["cs", "renewal_windows"])


def build_renewal_assets(weeks: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The asset, a partition a week; a range of weeks is one run and one statement."""

    @dg.asset(
        key=RENEWAL_WINDOWS,
        deps=[SUBSCRIPTION_TERMS, ACCOUNT_WEEKS],
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="renewals",
        owners=["team:customer-success", "team:data-platform"],
        kinds={"sql", "postgres"},
        description=(
            "Windows that open in the week after the partition's end: 180, 90, 60, 30, 14 and 7 days before a renewal "
            "date, and overdue when it passed without a renewal. Automatic and manual renewals are told apart. "
            "Windows found by the schedule become triggers of the renewal ladder; those of a backfill never do."
        ),
    )
    def renewal_windows(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], scope: ScopeResource
    ) -> dg.MaterializeResult:
        asked = weeks_of(context)
        done = record_windows(warehouse, asked, scope.scope(), origin_of(context))
        for week in done:
            context.add_asset_metadata(
                {"windows": week.windows.total(), "overdue": week.windows["overdue"]},
                partition_key=partition_of(week.week),
            )
        context.add_asset_metadata(
            {"windows_by_kind": table(windows_by_kind(warehouse, asked[0], asked[-1]))},
            partition_key=partition_of(asked[-1]),
        )
        return dg.MaterializeResult()

    return [renewal_windows]
