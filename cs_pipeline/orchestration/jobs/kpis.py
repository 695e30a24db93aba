"""KPIs: after each week and at the start of each month. Nothing that starts plays waits for them."""

import dagster as dg

from cs_pipeline.orchestration.keys import KPIS_GROUP, KPIS_JOB
from cs_pipeline.orchestration.run_owner import at_most, owned_executor

kpis_job = dg.define_asset_job(
    KPIS_JOB,
    selection=dg.AssetSelection.groups(KPIS_GROUP),
    description="Builds account months, the MRR bridge, every KPI with its target. Contacts nobody (docs/kpis.md).",
    tags=at_most(hours=12),
    executor_def=owned_executor,
)
