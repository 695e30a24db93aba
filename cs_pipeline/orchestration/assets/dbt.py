"""The dbt project as Dagster assets: the models of the weekly run, the rules upon them, and KPIs.

Starting dbt costs seconds, so the weekly run starts it once: for models that cover all history and for those built week
by week together. A backfill that asks for the weekly models alone builds nothing else.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.dbt_manifest import validate_manifest
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from cs_pipeline.alerts.views import say_built, views_and_digest
from cs_pipeline.answers.email_events import take_over
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.kpis.sync import sync_definitions, variables_of
from cs_pipeline.orchestration.duplicate_runs import scheduled_before
from cs_pipeline.orchestration.keys import ACCOUNT_WEEKS, ALERTS_GROUP, DATA_PLATFORM, KPIS_GROUP, SOURCES_GROUP, WEEKLY
from cs_pipeline.orchestration.metadata import table_name
from cs_pipeline.orchestration.partitions import weeks_of
from cs_pipeline.orchestration.resources import ScopeResource, environment_of_dbt
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.advisory_locks import alone
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SCHEMA
from cs_pipeline.warehouse.dbt_cli import build_manifest, dbt_environment, week_variables
from cs_pipeline.warehouse.failed_dbt_tests import words_of_failed_tests

WEEKLY_TAG = "weekly"
"""The models of one row per account and week."""
ALERT_RULES = "tag:alerts"
"""Views that alert rules are. `cs/alerts` sees to it in the weekly run that they stand (see rule_views)."""
KPIS = f"tag:{KPIS_GROUP}"
"""Account months and KPIs: nothing that starts plays reads them, so a job of their own builds them after the week."""
KEPT_BY_LOADS = {"past_onboarding_stages"}
"""Tables of `cs` that loads fill beside the canonical ones; the others are made by assets of their own."""


class Translator(DagsterDbtTranslator):
    """Groups models by their layer and gives everything owners and kinds, and what the weekly job builds its tag."""

    def __init__(self, weeks: dg.WeeklyPartitionsDefinition) -> None:
        super().__init__()
        self._weeks = weeks

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.PartitionsDefinition | None:
        """Weeks for the models that are built week by week."""
        return self._weeks if WEEKLY_TAG in dbt_resource_props["tags"] else None

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec that dagster-dbt derives, with the project's group, owners, kinds and tags."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        resource = self.get_resource_props(manifest, unique_id)
        layer = "intermediate" if resource["resource_type"] == "snapshot" else _layer_of(resource["fqn"])
        is_kpi = KPIS_GROUP in resource["tags"]
        is_weekly = not is_kpi and ALERTS_GROUP not in resource["tags"]
        return spec.replace_attributes(
            group_name=KPIS_GROUP if is_kpi else layer,
            owners=[DATA_PLATFORM],
            kinds={"dbt", "postgres"},
            tags={**spec.tags, **WEEKLY} if is_weekly else spec.tags,
        )


def _layer_of(fqn: Sequence[str]) -> str:
    """The folder of models; a team's own that stand in none are named after whose they are."""
    return fqn[1] if len(fqn) > 2 else "team"


def build_source_specs(folder: Path) -> list[dg.AssetSpec]:
    """The canonical tables, which `cs-pipeline load` and `cs-pipeline map` fill, so that lineage begins at them.

    `folder` is the one that dbt is run on.
    """
    sources = validate_manifest(build_manifest(folder))["sources"].values()  # which `dbt_assets` reads, too
    return [
        dg.AssetSpec(
            key := [source["source_name"], source["name"]],
            group_name=SOURCES_GROUP,
            owners=[DATA_PLATFORM],
            kinds={"postgres"},
            metadata=table_name(key),
            description=source["description"],
        )
        for source in sources
        if source["source_name"] == SCHEMA or source["name"] in KEPT_BY_LOADS
    ]


def build_dbt_assets(weeks: dg.WeeklyPartitionsDefinition, folder: Path) -> list[dg.AssetsDefinition]:
    """Sets of assets, so that a backfill of weeks does not rebuild all history and the other way round."""
    manifest = build_manifest(folder)

    @dbt_assets(
        manifest=manifest,
        exclude=f"{ALERT_RULES} {KPIS}",
        dagster_dbt_translator=Translator(weeks),
        name="dbt_models",
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def dbt_models(
        context: dg.AssetExecutionContext,
        cs_dbt: DbtCliResource,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[Any]:
        if first := scheduled_before(context.instance, context.run):
            context.log.warning("Nothing is done: run %s of the schedule does this week, or has done it.", first)
            return  # without these, no step after them begins
        if rows := take_over(warehouse, clock.now()):
            context.log.info("%s events of our mails are new in raw.email_events", f"{rows:,}")
        variables = {"present": clock.now().isoformat()}
        if ACCOUNT_WEEKS in context.selected_asset_keys:
            asked = weeks_of(context)
            variables |= week_variables(asked[0], asked[-1]) | scope.dbt_variables(settings)
        yield from _build(context, cs_dbt, warehouse, variables)

    @dbt_assets(
        manifest=manifest,
        select=ALERT_RULES,
        dagster_dbt_translator=Translator(weeks),
        name="dbt_alert_rules",
    )
    def dbt_alert_rules(
        context: dg.AssetExecutionContext,
        cs_dbt: DbtCliResource,
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[Any]:
        # Read before dbt reads the files: what is changed meanwhile is then built once more, not taken for built.
        _, digest = views_and_digest(json.loads(manifest.read_text()))
        yield from _build(context, cs_dbt, warehouse, {"present": clock.now().isoformat()})
        if not context.is_subset:
            with warehouse.session() as session:
                say_built(session, digest)

    @dbt_assets(
        manifest=manifest,
        select=KPIS,
        dagster_dbt_translator=Translator(weeks),
        name="dbt_kpis",
    )
    def dbt_kpis(
        context: dg.AssetExecutionContext,
        cs_dbt: DbtCliResource,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[Any]:
        book = load_kpis(settings.config)
        with warehouse.session() as session:
            sync_definitions(session, book)
        yield from _build(context, cs_dbt, warehouse, {"present": clock.now().isoformat(), **variables_of(book)})

    return [dbt_models, dbt_alert_rules, dbt_kpis]


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse, variables: Mapping[str, str]
) -> Iterator[Any]:
    """Build and test the asset selection. Unit tests of the models belong to CI, not to every week.

    Two dbts that build the same models would rename the same tables under each other's hands: the later one waits.
    """

    def tell() -> None:
        context.log.info("Another run builds these models; this one goes on when it has done so.")

    with alone(warehouse, f"dbt {context.op_execution_context.op.name}", tell):
        with environment_of_dbt(dbt_environment(warehouse, variables)):
            invocation = dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context)
        try:
            yield from invocation.stream()
        except DagsterDbtCliRuntimeError:
            if words := words_of_failed_tests(invocation.target_path, warehouse):
                raise UserError(words) from None
            raise
        _keep_parsed(invocation.target_path)


def _keep_parsed(target: Path) -> None:
    """Let the next run start from what dbt parsed in this one: parsing anew costs seconds every time."""
    parsed = target / "partial_parse.msgpack"
    if parsed.exists():
        beside = target.with_name(f"{target.name}.msgpack")
        shutil.copyfile(parsed, beside)
        beside.replace(target.with_name(parsed.name))
