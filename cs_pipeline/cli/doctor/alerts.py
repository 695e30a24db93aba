"""Examine alerts: rules that have no data or an error, what is held, and whether rules are asked at all."""

from collections.abc import Iterator
from datetime import datetime

from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.first_few import first_few
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

NAMED = 5  # rules that a finding names


def examine_alerts(warehouse: Warehouse, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every finding. Raises UserError where a rule or alerts.yaml is wrong."""
    from cs_pipeline.alerts.rulebook import load_rules
    from cs_pipeline.reports.alerts.lists import rule_table, unevaluated

    rules = load_rules(settings.config)
    with warehouse.session() as session:
        found = rule_table(session, rules, now)
        late = unevaluated(session, rules, now)
    evaluated = int(found["health"].isin(["ok", "no_data", "error", "held"]).sum())
    if not evaluated:
        words = f"{len(rules):,} rules, none evaluated yet: the job evaluate_alerts does it every hour"
        yield Finding("alert rules", "note", f"{words}, or `cs-pipeline alert run`")
        return
    yield Finding("alert rules", "ok", f"{len(rules):,} rules, {int(found['open'].sum()):,} alerts are open")
    by_health = {health: list(names) for health, names in found.groupby("health")["rule"]}
    if failing := by_health.get("error"):
        yield Finding(
            "alert rules", "wrong", f"cannot be evaluated: {first_few(failing, NAMED)}: `cs-pipeline alert rules`"
        )
    if without := by_health.get("no_data"):
        words = f"without data they can believe, so they say nothing: {first_few(without, NAMED)}"
        yield Finding("alert rules", "note", f"{words}: `cs-pipeline alert rules`")
    for rule, held in found.loc[found["held"] > 0, ["rule", "held"]].itertuples(index=False):
        words = f"{rule} would fire {held:,} times at once, and has told nobody"
        decide = f"decide with `cs-pipeline alert release {rule}` or `cs-pipeline alert dismiss {rule}`"
        yield Finding("held alerts", "wrong", f"{words}: {decide}")
    if late and settings.now is None:  # where the clock is set, nobody is late
        names = first_few((name for name, _ in late), NAMED)
        words = f"{names}, due since {min(due for _, due in late):%Y-%m-%d %H:%M} UTC"
        yield Finding("alert rules", "wrong", f"nobody asks {words}: see the job evaluate_alerts in the Dagster UI")
