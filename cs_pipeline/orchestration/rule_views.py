"""See to it that the views of alert rules stand before rules are asked: dbt builds them when a file of theirs changed.

They are no step of the weekly job: a hundred views that are there already would be a hundred events every week. What a
rule finds belongs to `alerts.findings`.
"""

import json

import dagster as dg

from cs_pipeline.alerts.views import SCHEMA, are_standing, say_built, views_and_digest
from cs_pipeline.orchestration.keys import ALERTS_GROUP
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import build_manifest, run_models
from cs_pipeline.warehouse.dbt_folder import dbt_folder


def build_rule_views_that_changed(
    context: dg.AssetExecutionContext, warehouse: Warehouse, settings: Settings, present: str
) -> None:
    """Build the views of all rules unless they stand as their files say; each is then told to its asset.

    Raises UserError with dbt's last words when it fails.
    """
    folder = dbt_folder(settings)
    # Read before dbt reads the files: what is changed meanwhile is then built once more, not taken for built.
    views, digest = views_and_digest(json.loads(build_manifest(folder).read_text()))
    with warehouse.session() as session:
        if are_standing(session, views, digest):
            return
    context.log.info("A file of a rule has changed, or a view is missing: dbt builds the views of all rules.")
    log = settings.home / "logs" / "alert_rules.log"
    variables = {"present": present}
    run_models(warehouse, f"tag:{ALERTS_GROUP}", variables, folder=folder, target="alert_rules", log=log)
    with warehouse.session() as session:
        say_built(session, digest)
    for view in views:
        context.log_event(dg.AssetMaterialization([SCHEMA, view]))
