"""Jobs that make and send reports, one a rhythm: those of the week, of the month, of the quarter."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (  # has no public name
    UnresolvedAssetJobDefinition,
)

from cs_pipeline.orchestration.assets.reports import report_key
from cs_pipeline.orchestration.keys import MAX_RETRIES_TAG, SERIAL_TAG
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.reports.dated.catalogue import KINDS
from cs_pipeline.reports.dated.periods import Rhythm


def _job(rhythm: Rhythm) -> UnresolvedAssetJobDefinition:
    name = f"{rhythm}_reports"
    kinds = [kind for kind in KINDS.values() if kind.rhythm == rhythm]
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(*map(report_key, kinds)),
        description=(
            f"Makes the {rhythm} reports ({', '.join(kind.title for kind in kinds)}), keeps their pages, and plans "
            "them for those whom reports.yaml names. Safe to run again: nobody gets a report of one period twice. A "
            "past period by `as_of`, or `cs-pipeline report send`."
        ),
        tags={SERIAL_TAG: name, MAX_RETRIES_TAG: "1", **at_most(hours=3)},
        executor_def=owned_executor,
    )


REPORT_JOBS: dict[Rhythm, UnresolvedAssetJobDefinition] = {
    "weekly": _job("weekly"),
    "monthly": _job("monthly"),
    "quarterly": _job("quarterly"),
}
