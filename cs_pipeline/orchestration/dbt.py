"""The dbt project as Dagster assets: one group of models that cover all history, one that is built week by week."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.failed_tests import words_of_failed_tests
from cs_pipeline.orchestration.partitions import weeks_of
from cs_pipeline.orchestration.repeated import scheduled_before
from cs_pipeline.orchestration.resources import DBT_PROJECT, ScopeResource, dbt_executable, week_variables
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

WEEKLY = "tag:weekly"
VARIABLES = ("present", "week_from", "week_to", "late_rows", "cohort", "segment")
ACCOUNT_WEEKS = dg.AssetKey(["marts", "fct_account_weeks"])
SUBSCRIPTION_TERMS = dg.AssetKey(["marts", "fct_subscription_terms"])
OWNERS = ["team:data-platform"]


class Translator(DagsterDbtTranslator):
    """Groups models by their layer and gives everything owners and kinds."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec that dagster-dbt derives, with the project's group, owners and kinds."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        resource = self.get_resource_props(manifest, unique_id)
        layer = "intermediate" if resource["resource_type"] == "snapshot" else resource["fqn"][1]
        return spec.replace_attributes(group_name=layer, owners=OWNERS, kinds={"dbt", "postgres"})


def build_manifest() -> Path:
    """The project's manifest, parsed anew when a file of the project is newer than it.

    Parsing needs no database. Raises UserError with dbt's words when the project cannot be parsed.
    """
    target = DBT_PROJECT / "target"
    manifest = target / "manifest.json"
    folders = [DBT_PROJECT / name for name in ("models", "macros", "snapshots", "tests")]
    sources = [path for folder in folders for path in folder.rglob("*.*")]
    newest = max(path.stat().st_mtime for path in [DBT_PROJECT / "dbt_project.yml", *sources])
    if manifest.exists() and manifest.stat().st_mtime >= newest:
        return manifest
    target.mkdir(exist_ok=True)
    # Several processes may start at once: each parses beside, and a whole file takes the place of the old one.
    with tempfile.TemporaryDirectory(dir=target) as beside:
        command = [dbt_executable(), "--quiet", "parse", "--target-path", beside]
        places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--log-path", beside]
        parsed = subprocess.run([*command, *places], capture_output=True, text=True, check=False)
        if parsed.returncode != 0:
            raise UserError(f"dbt cannot parse {DBT_PROJECT}:\n{parsed.stdout}{parsed.stderr}".rstrip())
        for name in ("partial_parse.msgpack", "manifest.json"):
            (Path(beside) / name).replace(target / name)
    return manifest


def build_source_specs() -> list[dg.AssetSpec]:
    """The canonical tables, which `cs-pipeline load` and `cs-pipeline map` fill, so that lineage begins at them."""
    sources = json.loads(build_manifest().read_text())["sources"].values()
    return [
        dg.AssetSpec(
            [source["source_name"], source["name"]],
            group_name="sources",
            owners=OWNERS,
            kinds={"postgres"},
            description=source["description"],
        )
        for source in sources
    ]


def build_dbt_assets(weeks: dg.WeeklyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Two sets of assets, so that a backfill of weeks does not rebuild all history and the other way round."""
    manifest = build_manifest()

    @dbt_assets(manifest=manifest, exclude=WEEKLY, dagster_dbt_translator=Translator(), name="dbt_models")
    def dbt_models(
        context: dg.AssetExecutionContext,
        dbt: DbtCliResource,
        warehouse: dg.ResourceParam[Warehouse],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[Any]:
        if first := scheduled_before(context.instance, context.run):
            context.log.warning("Nothing is done: run %s of the schedule does this week, or has done it.", first)
            return  # without these, no step after them begins
        yield from _build(context, dbt, warehouse, {"present": clock.now().isoformat()})

    @dbt_assets(
        manifest=manifest,
        select=WEEKLY,
        dagster_dbt_translator=Translator(),
        name="dbt_account_weeks",
        partitions_def=weeks,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def dbt_account_weeks(
        context: dg.AssetExecutionContext,
        dbt: DbtCliResource,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        scope: ScopeResource,
    ) -> Iterator[Any]:
        asked = weeks_of(context)
        variables = week_variables(asked[0], asked[-1]) | scope.dbt_variables(settings)
        yield from _build(context, dbt, warehouse, variables)

    return [dbt_models, dbt_account_weeks]


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse, variables: Mapping[str, str]
) -> Iterator[Any]:
    """Build and test the asset selection. Unit tests of the models belong to CI, not to every week."""
    # dbt is a process of its own: profiles.yml and the macro `setting` read these.
    os.environ.update(warehouse.for_other_programs().dbt_environment())
    os.environ.update({f"CS_PIPELINE_DBT_{name.upper()}": variables.get(name, "") for name in VARIABLES})
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
        beside = DBT_PROJECT / "target" / f"{target.name}.msgpack"
        shutil.copyfile(parsed, beside)
        beside.replace(DBT_PROJECT / "target" / parsed.name)
