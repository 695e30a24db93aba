"""Say of each alert rule, at the asset of its view, whether it could be asked the last time.

`cs/alerts` reports a rule when it has evaluated it, if the rule is ill or its health has changed; whoever runs the
checks by hand hears of all. Dagster keeps every event, and a hundred rules that are well every hour, or in every run of
weeks, would be most of what it keeps.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import ALERTS, ALERTS_GROUP
from cs_pipeline.reports.alerts.lists import not_healthy, rule_table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

RULE_IS_HEALTHY = "rule_is_healthy"


def build_rule_health(views: Collection[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """A check at each view of a rule, all from one query."""

    @dg.multi_asset_check(
        name="health_of_alert_rules",
        description="Says of each rule how its newest evaluation went. Evaluates nothing.",
        specs=[
            dg.AssetCheckSpec(
                RULE_IS_HEALTHY,
                asset=view,
                additional_deps=[ALERTS],
                description=(
                    "When the rule was evaluated last, it had the data it needs and no error, and did not want to fire "
                    "for too many accounts at once. A rule that is off, or about tables that are absent, is well."
                ),
            )
            for view in views
        ],
        can_subset=True,
    )
    def health_of_alert_rules(
        context: dg.AssetCheckExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        with warehouse.session() as session:
            health = rule_table(session, load_rules(settings.config), clock.now())
        found = _found(health)
        for check in context.selected_asset_check_keys:
            rule = check.asset_key.path[-1]
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=RULE_IS_HEALTHY,
                severity=dg.AssetCheckSeverity.WARN,
                **found.get(rule, {"passed": False, "description": "no properties file has its meta.alert"}),
            )

    return health_of_alert_rules


def report_rule_health(instance: dg.DagsterInstance, evaluated: Iterable[Evaluation], health: pd.DataFrame) -> None:
    """Report those that were `evaluated` and are ill, or have another health than before, as `health` has them now."""
    news = {each.rule for each in evaluated if each.health != each.health_before}
    for rule, found in _found(health[health["rule"].isin({each.rule for each in evaluated})]).items():
        if rule in news or not found["passed"]:
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey([ALERTS_GROUP, rule]),
                    check_name=RULE_IS_HEALTHY,
                    severity=dg.AssetCheckSeverity.WARN,
                    **found,
                )
            )


def _found(health: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Of each rule of the table whether it is well, and what is to be said."""
    ill = set(not_healthy(health)["rule"])
    return {
        row["rule"]: {
            "passed": row["rule"] not in ill,
            "description": row["error"] or _words(row["health"], row["held"]),
            "metadata": {
                "health": row["health"],
                "evaluated_for": f"{row['evaluated_for'] or 'never'}",
                "open": int(row["open"]),
                "held": int(row["held"]),
            },
        }
        for row in health.to_dict("records")
    }


def _words(health: str, held: int) -> str:
    if held:
        return f"{held} of its alerts are held until a person decides"
    return {"ok": "asked and believed", "missing": "never asked", "off": "switched off in alerts.yaml"}.get(
        health, health
    )
