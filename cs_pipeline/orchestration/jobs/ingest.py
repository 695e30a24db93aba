"""The job that has dlt land what is new and maps it, for teams that have an `ingest.py`."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (  # has no public name
    UnresolvedAssetJobDefinition,
)

from cs_pipeline.orchestration.keys import INGEST_JOB, MAX_RETRIES_TAG, SERIAL_TAG
from cs_pipeline.orchestration.run_owner import at_most, owned_executor


def build_ingest_job(assets: Sequence[dg.AssetsDefinition]) -> UnresolvedAssetJobDefinition:
    """Of everything that is landed and mapped. Tables of a source that is away wait for it; others are landed."""
    return dg.define_asset_job(
        INGEST_JOB,
        selection=dg.AssetSelection.assets(*assets),
        description="Has dlt land what is new, by ingest.py, and maps it. Contacts nobody (docs/ingest.md).",
        tags={SERIAL_TAG: INGEST_JOB, MAX_RETRIES_TAG: "2", **at_most(hours=12)},
        executor_def=owned_executor,
    )
