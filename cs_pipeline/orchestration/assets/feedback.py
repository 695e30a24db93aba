"""Hand on what customers said: the asset of the ledger. A backfill hands on nothing."""

import dagster as dg
import pandas as pd

from cs_pipeline.clock import Clock
from cs_pipeline.feedback.ledger import Routed, route
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.orchestration.assets.alerts import is_backfill
from cs_pipeline.orchestration.keys import CUSTOMER_SUCCESS, FEEDBACK_GROUP, FEEDBACK_ITEMS, ROUTED_FEEDBACK
from cs_pipeline.orchestration.metadata import table, table_name
from cs_pipeline.reports.feedback.lists import feedback_list, feedback_table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

MOST_SHOWN = 50
"""Rows of a table in the UI."""


@dg.asset(
    key=ROUTED_FEEDBACK,
    deps=[FEEDBACK_ITEMS],
    group_name=FEEDBACK_GROUP,
    owners=[CUSTOMER_SUCCESS],
    kinds={"postgres"},
    metadata=table_name(ROUTED_FEEDBACK),
    description=(
        "What customers said, and to whom it was handed on by the rules of routing.yaml: product, development, Sales, "
        "Finance, Competitive Intelligence, owners. Each item once; what no rule takes is in triage. The job "
        "route_feedback does it every day; a backfill does nothing. See docs/feedback.md."
    ),
)
def routed_feedback(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Route, and show what is in triage, without words: Dagster keeps what it shows, and a person can be erased."""
    book = load_routing(settings.config)
    with warehouse.session() as session:
        done = Routed() if is_backfill(context.run) else route(session, book, settings, clock.now())
        triage = feedback_table(feedback_list(session, is_triage=True, limit=MOST_SHOWN))
    return dg.MaterializeResult(
        metadata={
            "handed_on": done.items,
            "to_triage": done.triage,
            "recorded_untold": done.old,
            "messages": done.messages,
            "tasks": done.tasks,
            "by_rule": table(pd.DataFrame(done.by_rule, columns=["rule", "items"])),
            "triage": table(triage[["item", "said", "account", "tier"]]),
            "site": dg.MetadataValue.url(settings.site_url),
        }
    )
