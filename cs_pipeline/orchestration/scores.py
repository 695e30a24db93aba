"""Assets of the weekly record: health scores and score changes."""

from datetime import timedelta

import dagster as dg

from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.changes import ChangeSummary, record_changes
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import Origin
from cs_pipeline.orchestration.checks import CHANGE_CHECKS, SCORE_CHECKS, change_results, score_results
from cs_pipeline.orchestration.dbt import ACCOUNT_WEEKS
from cs_pipeline.orchestration.jobs import LIVE, ORIGIN_TAG
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.reports.charts import bands_over_time, score_distribution
from cs_pipeline.reports.scores.change_charts import (
    band_flows,
    coverage_by_metric,
    drivers_of_falls,
    quantiles_over_time,
)
from cs_pipeline.reports.scores.change_queries import (
    drivers_of_largest_falls,
    flows_by_week,
    known_by_metric,
    score_quantiles,
)
from cs_pipeline.reports.scores.queries import (
    bands_by_week,
    changes_by_cause,
    largest_falls,
    models_side_by_side,
    score_bins,
)
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

HEALTH_SCORES = dg.AssetKey(["cs", "health_scores"])
SCORE_CHANGES = dg.AssetKey(["cs", "score_changes"])
GROUP = "health"
SHOWN_WEEKS = timedelta(weeks=26)
OWNERS = ["team:customer-success", "team:data-platform"]


def build_score_assets(weeks: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Both assets, a partition a week; a range of weeks is one run."""

    @dg.asset(
        key=HEALTH_SCORES,
        deps=[ACCOUNT_WEEKS],
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "postgres"},
        check_specs=SCORE_CHECKS,
        description=(
            "Health score (0 to 100), band and severity of every account at the end of a week, with the points of each "
            "metric and the coverage. Several models are computed side by side, one counts for each account; they are "
            "YAML, and their versions are part of every row. Scoring a week again gives the same rows. See "
            "docs/scores.md."
        ),
    )
    def health_scores(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> dg.MaterializeResult:
        selection = load_selection(settings.config)
        asked = weeks_of(context)

        def tell(week: WeekSummary) -> None:
            context.log.info("week %s: %s accounts scored", week.week, week.active.accounts)

        done = score_weeks(warehouse, selection, asked, scope.scope(), on_week=tell)
        for week in done:
            context.add_asset_metadata(
                {
                    "accounts": week.active.accounts,
                    "not_scored": week.active.bands[NOT_SCORED],
                    "held": week.held,
                    "mean_score": round(week.active.mean_score or 0, 1),
                    "coverage": round(week.active.coverage or 0, 3),
                },
                partition_key=partition_of(week.week),
            )
        last = asked[-1]
        recent = bands_by_week(warehouse, last - SHOWN_WEEKS, last)
        context.add_asset_metadata(
            {
                "models": table(models_side_by_side(selection, done[-1])),
                "bands": table(recent[recent["week"] == last].drop(columns="week")),
                "distribution": picture(score_distribution(score_bins(warehouse, last)), "Accounts by score"),
                "bands_over_time": picture(bands_over_time(recent), "Bands over time"),
                "scores_over_time": picture(
                    quantiles_over_time(score_quantiles(warehouse, last - SHOWN_WEEKS, last)), "Scores over time"
                ),
                "known_metrics": picture(coverage_by_metric(known_by_metric(selection, done[-1])), "Known metrics"),
            },
            partition_key=partition_of(last),  # of a range, whose weeks would each carry the pictures again
        )
        return dg.MaterializeResult(
            check_results=score_results(warehouse, done, scope.scope(), origin_of(context)),
        )

    @dg.asset(
        key=SCORE_CHANGES,
        deps=[health_scores],
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "postgres"},
        check_specs=CHANGE_CHECKS,
        description=(
            "How each account's score differs from the week before: from and to, the drivers that sum to the change, "
            "and the cause (behaviour, calendar, missing data, model version, override). Changes of severity found by "
            "the schedule become triggers of plays; those of a backfill never do."
        ),
    )
    def score_changes(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> dg.MaterializeResult:
        selection = load_selection(settings.config)
        asked = weeks_of(context)

        def tell(week: ChangeSummary) -> None:
            counts = (week.changes, week.worse, week.better)
            context.log.info("week %s: %s changes, %s worse, %s better", week.week, *counts)

        done = record_changes(warehouse, selection, asked, scope.scope(), origin_of(context), on_week=tell)
        for week in done:
            context.add_asset_metadata(
                {"changes": week.changes, "worse": week.worse, "better": week.better},
                partition_key=partition_of(week.week),
            )
        last = asked[-1]
        context.add_asset_metadata(
            {
                "causes": table(changes_by_cause(warehouse, asked[0], last)),
                "largest_falls": table(largest_falls(warehouse, last)),
                "band_flows": picture(
                    band_flows(flows_by_week(warehouse, last - SHOWN_WEEKS, last)), "Changes of band"
                ),
                "drivers_of_falls": picture(
                    drivers_of_falls(drivers_of_largest_falls(warehouse, last)), "The largest falls"
                ),
            },
            partition_key=partition_of(last),
        )
        return dg.MaterializeResult(
            check_results=change_results(done, origin_of(context)),
        )

    return [health_scores, score_changes]


def origin_of(context: dg.AssetExecutionContext) -> Origin:
    """`live` for the schedule's run of one week; everything else is a backfill and starts no play."""
    is_live = context.run.tags.get(ORIGIN_TAG) == LIVE and len(weeks_of(context)) == 1
    return "live" if is_live else "backfill"
