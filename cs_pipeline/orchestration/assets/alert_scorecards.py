"""Hold alert rules against what became of the accounts: monthly, and whenever somebody asks what they are worth."""

import dagster as dg

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import (
    ALERT_SCORECARDS,
    ALERTS,
    ALERTS_GROUP,
    CUSTOMER_SUCCESS,
    SUBSCRIPTION_TERMS,
)
from cs_pipeline.orchestration.metadata import picture, table, table_name
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dg.asset(
    key=ALERT_SCORECARDS,
    deps=[ALERTS, SUBSCRIPTION_TERMS],
    group_name=ALERTS_GROUP,
    owners=[CUSTOMER_SUCCESS],
    kinds={"python", "postgres"},
    metadata=table_name(ALERT_SCORECARDS),
    description=(
        "Each alert rule in its present version: precision with its interval, lift over what happens anyway, recall, "
        "lead time, time to acknowledge, and a verdict. One row a month, rule and version. Writes a page into the home "
        "folder. See docs/alerts.md."
    ),
)
def alert_scorecards(
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Hold every rule against outcomes, keep and show what came of it."""
    # The measures need seconds to import, which the code location should not cost.
    from cs_pipeline.alerts.live_scorecards import keep_scorecards, live_scorecards
    from cs_pipeline.reports.alerts import scorecard as words
    from cs_pipeline.reports.alerts.scorecard_chart import lift_of_rules

    cards = live_scorecards(warehouse, load_rules(settings.config))
    keep_scorecards(warehouse, cards, clock.now())
    page = settings.home.absolute() / "alert_scorecards.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(words.scorecard_page(cards), encoding="utf-8")
    return dg.MaterializeResult(
        metadata={
            "rules": len(cards),
            "looked_at": words.headline(cards),
            "scorecards": table(words.table(cards)),
            "lift": picture(lift_of_rules(cards), "Lift of the rules, with its interval"),
            "in_words": dg.MetadataValue.md("\n".join(f"- **{card.rule}**: {words.in_words(card)}" for card in cards)),
            "page": dg.MetadataValue.path(page),
        }
    )
