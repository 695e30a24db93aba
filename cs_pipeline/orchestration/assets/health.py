"""Assets of the weekly record: health scores and score changes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from cs_pipeline.health.selection import Selection, load_selection
from cs_pipeline.history.account_overview import write_overview
from cs_pipeline.history.changes import ChangeSummary, record_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.orchestration.asset_checks.health import CHANGE_CHECKS, SCORE_CHECKS, change_results, score_results
from cs_pipeline.orchestration.assets.weekly import origin_of, weekly_asset
from cs_pipeline.orchestration.keys import ACCOUNT_WEEKS, HEALTH_GROUP, HEALTH_SCORES, SCORE_CHANGES
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.orchestration.partitions import partition_of, weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.reports.scores.change_queries import (
    drivers_of_largest_falls,
    flows_by_week,
    known_by_metric,
    score_quantiles,
)
from cs_pipeline.reports.scores.charts import (
    band_flows,
    bands_over_time,
    coverage_by_metric,
    drivers_of_falls,
    quantiles_over_time,
    score_distribution,
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

SHOWN_WEEKS = timedelta(weeks=26)
"""How far the charts look back."""


SCORES: dict[str, Any] = {
    "group": HEALTH_GROUP,
    "kinds": {"python", "postgres"},
    "check_specs": SCORE_CHECKS,
    "description": (
        "Health score (0 to 100), band and severity of every account at the end of a week, with the points of each "
        "metric and the coverage. Several models are computed side by side, one counts for each account; they are "
        "YAML, and their versions are part of every row. Scoring a week again gives the same rows. See "
        "docs/scores.md."
    ),
}
"""What holds for `cs/health_scores`, in however many slices it is made (`sliced_health`)."""
CHANGES: dict[str, Any] = {
    "group": HEALTH_GROUP,
    "kinds": {"python", "postgres"},
    "check_specs": CHANGE_CHECKS,
    "description": (
        "How each account's score differs from the week before: from and to, the drivers that sum to the change, "
        "and the cause (behaviour, calendar, missing data, model version, override). Changes of severity found by "
        "the schedule become triggers of plays; those of a backfill never do."
    ),
}
"""What holds for `cs/score_changes`."""


def build_health_scores(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/health_scores`."""

    @weekly_asset(HEALTH_SCORES, weeks, deps=[ACCOUNT_WEEKS], **SCORES)
    def health_scores(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> dg.MaterializeResult:
        def tell(week: WeekSummary) -> None:
            context.log.info("week %s: %s accounts scored", week.week, week.active.accounts)

        selection = load_selection(settings.config)
        done = score_weeks(warehouse, selection, weeks_of(context), scope.scope(), on_week=tell)
        return dg.MaterializeResult(check_results=say_scored(context, warehouse, selection, done, scope.scope()))

    return health_scores


def build_score_changes(weeks: dg.WeeklyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `cs/score_changes`."""

    @weekly_asset(SCORE_CHANGES, weeks, deps=[HEALTH_SCORES], **CHANGES)
    def score_changes(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> dg.MaterializeResult:
        def tell(week: ChangeSummary) -> None:
            counts = (week.changes, week.worse, week.better)
            context.log.info("week %s: %s changes, %s worse, %s better", week.week, *counts)

        origin, selection = origin_of(context), load_selection(settings.config)
        done = record_changes(warehouse, selection, weeks_of(context), scope.scope(), origin, on_week=tell)
        return dg.MaterializeResult(check_results=say_changed(context, warehouse, done))

    return score_changes


def say_scored(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    selection: Selection,
    done: Sequence[WeekSummary],
    scope: Scope,
) -> list[dg.AssetCheckResult]:
    """Show what the weeks came to, and return what the checks say of them."""
    _add_metadata(context, {each.week: _scores_of(each) for each in done})
    _add_metadata(context, {done[-1].week: _score_charts(warehouse, selection, done[-1])})
    return score_results(warehouse, done, scope, origin_of(context))


def say_changed(
    context: dg.AssetExecutionContext, warehouse: Warehouse, done: Sequence[ChangeSummary]
) -> list[dg.AssetCheckResult]:
    """Show what the changes came to, write the overview of accounts, and return what the checks say."""
    _add_metadata(
        context,
        {each.week: {"changes": each.changes, "worse": each.worse, "better": each.better} for each in done},
    )
    write_overview(warehouse)
    weeks = [each.week for each in done]
    _add_metadata(context, {weeks[-1]: _change_charts(warehouse, weeks)})
    return change_results(done, origin_of(context))


def _add_metadata(context: dg.AssetExecutionContext, by_week: Mapping[date, Mapping[str, Any]]) -> None:
    for week, metadata in by_week.items():
        context.add_asset_metadata(metadata, partition_key=partition_of(week))


def _scores_of(week: WeekSummary) -> dict[str, Any]:
    return {
        "accounts": week.active.accounts,
        "not_scored": week.active.bands[NOT_SCORED],
        "held": week.held,
        "mean_score": round(week.active.mean_score or 0, 1),
        "coverage": round(week.active.coverage or 0, 3),
    }


def _score_charts(warehouse: Warehouse, selection: Selection, newest: WeekSummary) -> dict[str, Any]:
    """For the newest week of a run: the weeks of a range would each carry the same charts."""
    last = newest.week
    recent = bands_by_week(warehouse, last - SHOWN_WEEKS, last)
    quantiles = quantiles_over_time(score_quantiles(warehouse, last - SHOWN_WEEKS, last))
    return {
        "models": table(models_side_by_side(selection, newest)),
        "bands": table(recent[recent["week"] == last].drop(columns="week")),
        "distribution": picture(score_distribution(score_bins(warehouse, last)), "Accounts by score"),
        "bands_over_time": picture(bands_over_time(recent), "Bands over time"),
        "scores_over_time": picture(quantiles, "Scores over time"),
        "known_metrics": picture(coverage_by_metric(known_by_metric(selection, newest)), "Known metrics"),
    }


def _change_charts(warehouse: Warehouse, weeks: Sequence[date]) -> dict[str, Any]:
    last = weeks[-1]
    flows = band_flows(flows_by_week(warehouse, last - SHOWN_WEEKS, last))
    falls = drivers_of_falls(drivers_of_largest_falls(warehouse, last))
    return {
        "causes": table(changes_by_cause(warehouse, weeks[0], last)),
        "largest_falls": table(largest_falls(warehouse, last)),
        "band_flows": picture(flows, "Changes of band"),
        "drivers_of_falls": picture(falls, "The largest falls"),
    }
