"""Asset of renewal windows: which subscriptions come near their renewal date, and which let it pass."""

import dagster as dg

from cs_pipeline.history.renewal_windows import record_windows
from cs_pipeline.orchestration.assets.weekly import origin_of, weekly_asset
from cs_pipeline.orchestration.keys import ACCOUNT_WEEKS, RENEWAL_WINDOWS, RENEWALS_GROUP, SUBSCRIPTION_TERMS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.reports.scores.queries import windows_by_kind
from cs_pipeline.warehouse.connection import Warehouse


def build_renewal_windows(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/renewal_windows`; a range of weeks is one statement."""

    @weekly_asset(
        RENEWAL_WINDOWS,
        weeks,
        deps=[SUBSCRIPTION_TERMS, ACCOUNT_WEEKS],
        group=RENEWALS_GROUP,
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

    return renewal_windows
