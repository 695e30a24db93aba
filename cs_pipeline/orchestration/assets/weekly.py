"""Define an asset of the weekly job: a partition a week, built for any range of weeks in one run."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dagster as dg

from cs_pipeline.history.weeks import Origin
from cs_pipeline.orchestration.keys import CUSTOMER_SUCCESS, DATA_PLATFORM, LIVE, ORIGIN_TAG, WEEKLY
from cs_pipeline.orchestration.metadata import table_name
from cs_pipeline.orchestration.partitions import weeks_of


def weekly_asset(
    key: dg.AssetKey,
    weeks: dg.WeeklyPartitionsDefinition,
    *,
    deps: Iterable[dg.AssetKey],
    group: str,
    kinds: set[str],
    description: str,
    owners: Sequence[str] = (CUSTOMER_SUCCESS, DATA_PLATFORM),
    check_specs: Sequence[dg.AssetCheckSpec] = (),
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of a function that computes the weeks of a run, and returns a MaterializeResult."""
    return dg.asset(
        key=key,
        deps=deps,
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=group,
        owners=owners,
        kinds=kinds,
        tags=WEEKLY,
        metadata=table_name(key),
        check_specs=check_specs,
        description=description,
    )


def weekly_graph_asset(
    key: dg.AssetKey,
    weeks: dg.WeeklyPartitionsDefinition,
    *,
    after: dg.AssetKey,
    group: str,
    kinds: set[str],
    description: str,
    check_specs: Sequence[dg.AssetCheckSpec],
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of a function that connects the steps of such an asset; it takes `after`, what comes before them."""
    return dg.graph_asset(
        key=key,
        ins={"after": dg.AssetIn(after, dagster_type=dg.Nothing)},
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=group,
        owners=[CUSTOMER_SUCCESS, DATA_PLATFORM],
        kinds=kinds,
        tags=WEEKLY,
        metadata=table_name(key),
        check_specs=check_specs,
        description=description,
    )


def origin_of(context: dg.AssetExecutionContext) -> Origin:
    """`live` for the schedule's run of one week; everything else is a backfill and starts no play."""
    is_live = context.run.tags.get(ORIGIN_TAG) == LIVE and len(weeks_of(context)) == 1
    return "live" if is_live else "backfill"
