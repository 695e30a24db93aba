"""Scores and changes where slices of the accounts are worked on at once: a graph of steps behind each asset.

`score_slice[slice_2_of_3]` is a step of its own, wherever the executor has it run, and is retried alone. What is of all
accounts comes after all slices. Nothing is handed from step to step: a slice is known by its key, what was done by its
rows, so that steps need no storage in common but the database. With one slice the assets are those of `health`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg

from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.changes import ChangeSummary, record_changes
from cs_pipeline.history.count_changes import conclude_changes
from cs_pipeline.history.scores import conclude_weeks, score_weeks
from cs_pipeline.history.slices import Slice, slices_of
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.orchestration.asset_checks.health import CHANGE_CHECKS, SCORE_CHECKS
from cs_pipeline.orchestration.assets.health import CHANGES, SCORES, say_changed, say_scored
from cs_pipeline.orchestration.assets.weekly import origin_of, weekly_graph_asset
from cs_pipeline.orchestration.keys import ACCOUNT_WEEKS, HEALTH_SCORES, SCORE_CHANGES
from cs_pipeline.orchestration.partitions import weeks_of
from cs_pipeline.orchestration.resources import ScopeResource
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def build_sliced_health_scores(weeks: dg.WeeklyPartitionsDefinition, count: int) -> dg.AssetsDefinition:
    """The asset `cs/health_scores`, in `count` slices."""

    @dg.op(ins=_AFTER, out=dg.Out(dg.Nothing), description="Score the weeks for one slice of the accounts.")
    def score_slice(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> None:
        part = _slice_of(context)

        def tell(week: WeekSummary) -> None:
            context.log.info("week %s, %s: %s accounts scored", week.week, part.name, week.active.accounts)

        selection = load_selection(settings.config)
        score_weeks(warehouse, selection, weeks_of(context), scope.scope().of(part), on_week=tell)

    @dg.op(
        name="conclude_scores",
        ins=_AFTER,
        out=_result_and(HEALTH_SCORES, SCORE_CHECKS),
        description="What is of all accounts: parents, charts, checks.",
    )
    def conclude(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> Iterator[Any]:
        selection = load_selection(settings.config)
        done = conclude_weeks(warehouse, selection, weeks_of(context), scope.scope())
        yield from say_scored(context, warehouse, selection, done, scope.scope())
        yield dg.Output(None, RESULT)

    return weekly_graph_asset(HEALTH_SCORES, weeks, after=ACCOUNT_WEEKS, **SCORES)(
        _in_slices(count, score_slice, conclude)
    )


def build_sliced_score_changes(weeks: dg.WeeklyPartitionsDefinition, count: int) -> dg.AssetsDefinition:
    """The asset `cs/score_changes`, in `count` slices."""

    @dg.op(ins=_AFTER, out=dg.Out(dg.Nothing), description="Compare scores with those before, for one slice.")
    def compare_slice(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> None:
        part = _slice_of(context)

        def tell(week: ChangeSummary) -> None:
            context.log.info("week %s, %s: %s changes", week.week, part.name, week.changes)

        selection, asked = load_selection(settings.config), weeks_of(context)
        record_changes(warehouse, selection, asked, scope.scope().of(part), origin_of(context), on_week=tell)

    @dg.op(
        name="conclude_changes",
        ins=_AFTER,
        out=_result_and(SCORE_CHANGES, CHANGE_CHECKS),
        description="What is of all accounts: the overview, charts, checks.",
    )
    def conclude(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> Iterator[Any]:
        done = conclude_changes(warehouse, load_selection(settings.config), weeks_of(context), scope.scope())
        yield from say_changed(context, warehouse, done)
        yield dg.Output(None, RESULT)

    return weekly_graph_asset(SCORE_CHANGES, weeks, after=HEALTH_SCORES, **CHANGES)(
        _in_slices(count, compare_slice, conclude)
    )


RESULT = "result"
_AFTER = {"after": dg.In(dg.Nothing)}


def _slice_of(context: dg.AssetExecutionContext) -> Slice:
    key = context.op_execution_context.get_mapping_key()
    assert key, "a step of a slice is mapped over slices"
    return Slice.named(key)


def _result_and(asset: dg.AssetKey, checks: Sequence[dg.AssetCheckSpec]) -> dict[str, dg.Out]:
    """Outputs of the last step: the asset, and what its checks say."""
    outputs = [RESULT, *(_output_of(asset, check) for check in checks)]
    return {name: dg.Out(dg.Nothing, is_required=name == RESULT) for name in outputs}


def _output_of(asset: dg.AssetKey, check: dg.AssetCheckSpec) -> str:
    return f"{asset.to_python_identifier()}_{check.name}"


def _in_slices(count: int, work: dg.OpDefinition, conclude: dg.OpDefinition) -> Callable[..., Any]:
    """The graph: cut, work on each slice, conclude."""

    @dg.op(
        name=f"cut_for_{work.name}",
        ins=_AFTER,
        out=dg.DynamicOut(dg.Nothing),
        description=f"Cut the accounts into {count} slices, by the hash of their id.",
    )
    def cut() -> Iterator[dg.DynamicOutput[None]]:
        for part in slices_of(count):
            yield dg.DynamicOutput(None, mapping_key=part.name)

    def graph(after: Any) -> dict[str, Any]:
        concluded = conclude(cut(after).map(work).collect())
        return dict(zip(concluded._fields, concluded, strict=True))

    return graph
