"""Land by dlt, as assets: the tables of each source of `ingest.py`, in a schema of the source's own.

dlt keeps how far it has read beside the tables, in the same schema, and dagster-dlt restores it for each run: nothing
in the home folder is needed to go on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import dlt
from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.extract.source import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from psycopg2.extensions import connection as Session
from sqlalchemy import make_url

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.ingest_file import IngestFile
from cs_pipeline.orchestration.keys import DATA_PLATFORM, LANDING_GROUP
from cs_pipeline.orchestration.metadata import table_name
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.schemas import LANDING


class Translator(DagsterDltTranslator):
    """Keys a table by its schema and name, as all our tables are, and says how old it may become."""

    def __init__(self, source: DltSource, file: IngestFile) -> None:
        self._source, self._file = source, file

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """The spec that dagster-dlt derives, with the project's key, group, owners and kinds."""
        spec = super().get_asset_spec(data)
        name, resource = self._source.name, data.resource
        table = resource.name if callable(resource.table_name) else resource.table_name
        key = [schema_of(name), self._source.schema.naming.normalize_table_identifier(table)]
        return spec.replace_attributes(
            key=key,
            deps=[dg.AssetKey([name, resource.name])],
            group_name=LANDING_GROUP,
            description=f"`{resource.name}` of `{name}`, as {self._file.path.name} has dlt land it.",
            owners=[DATA_PLATFORM],
            kinds={"dlt", "postgres"},
            metadata={**spec.metadata, **table_name(key)},
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=self._file.fresh_within),
        )


def schema_of(source: str) -> str:
    """The schema in which a source lands."""
    return f"{LANDING}_{source}"


def build_landing(settings: Settings, file: IngestFile) -> list[dg.AssetsDefinition]:
    """An assets definition a source, so that one that is away holds up no other."""
    return [_build(settings, file, source) for source in file.sources]


def build_origins(landing: Sequence[dg.AssetsDefinition]) -> list[dg.AssetSpec]:
    """What stands upstream of all: each table, file or endpoint where it is at home."""
    return [
        dg.AssetSpec(
            dep.asset_key,
            group_name=LANDING_GROUP,
            owners=[DATA_PLATFORM],
            kinds={"source"},
            description=f"`{dep.asset_key.path[-1]}` where it is at home, in the source `{dep.asset_key.path[0]}`.",
        )
        for each in landing
        for spec in each.specs
        for dep in spec.deps
    ]


def _build(settings: Settings, file: IngestFile, source: DltSource) -> dg.AssetsDefinition:
    pipeline = dlt.pipeline(
        f"ingest_{source.name}",
        pipelines_dir=str(settings.home.resolve() / "dlt"),
        destination="postgres",
        dataset_name=schema_of(source.name),
    )

    @dlt_assets(
        dlt_source=source,
        dlt_pipeline=pipeline,
        name=f"land_{source.name}",
        dagster_dlt_translator=Translator(source, file),
    )
    def land(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> Iterator[Any]:
        with warehouse.session() as session, session.cursor() as cursor:
            # Somebody may materialize by hand what the schedule is landing: both would work in one folder of dlt's.
            cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [pipeline.pipeline_name])
            destination = dlt.destinations.postgres(url_with_password(session, warehouse.url))
            try:
                yield from DagsterDltResource().run(context=context, destination=destination)
            except PipelineStepFailed as error:
                raise UserError(_in_words(source.name, file, error)) from None

    return land


def url_with_password(session: Session, url: str) -> str:
    """The address as dlt wants it: with user and password, also where the server asks for none, or where they stand in
    ~/.pgpass, in which the driver found them for `session`.
    """
    known = session.info
    return make_url(url).set(username=known.user, password=known.password or "none").render_as_string(False)


def _in_words(name: str, file: IngestFile, error: PipelineStepFailed) -> str:
    """What became of the source, why, and what is lost: nothing."""
    cause: BaseException = error.exception
    while cause.__cause__ is not None:
        cause = cause.__cause__
    why = " ".join(str(cause).split("(Background on this error")[0].split())
    what = f"could not be landed in {schema_of(name)}" if error.step == "load" else f"could not be read ({file.path})"
    return (
        f"The source {name} {what}: {why}. Of this run nothing of it counts; what was landed before stays, and the "
        "next run goes on where the last good one ended."
    )
