"""Evaluate the alert rules that are due: the asset between the views of rules and what people are told.

By itself it asks the hourly, daily and cron rules. In the weekly job it asks the weekly ones, in the schedule's own run
alone: a backfill contacts nobody and writes no alert.
"""

from collections.abc import Iterable
from datetime import date

import dagster as dg
import pandas as pd

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.alerts.tick import Ticked, tick
from cs_pipeline.answers.email_events import take_over
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.asset_checks.rule_health import report_rule_health
from cs_pipeline.orchestration.keys import (
    ALERTS,
    ALERTS_GROUP,
    BACKFILL_TAG,
    CUSTOMER_SUCCESS,
    LIVE,
    ORIGIN_TAG,
    PARTITION_TAG,
    RANGE_START_TAG,
    TRIGGERS,
    WEEKLY,
    WEEKLY_JOB,
)
from cs_pipeline.orchestration.metadata import picture, table, table_name
from cs_pipeline.orchestration.rule_views import build_rule_views_that_changed
from cs_pipeline.reports.alerts.charts import fired_week_by_week, open_by_severity
from cs_pipeline.reports.alerts.counts import fired_by_week, open_by_rule
from cs_pipeline.reports.alerts.lists import alert_table, alerts, evaluation_table, not_healthy, rule_table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

MOST_SHOWN = 200
"""Rows of a table in the UI."""
SHOWN_WEEKS = 26
"""How far the chart of what fired looks back."""

RULES_ARE_HEALTHY = dg.AssetCheckSpec(
    "rules_are_healthy",
    asset=ALERTS,
    description=(
        "Every rule that was ever evaluated had, the last time, the data it needs and no error, and did not want to "
        "fire for too many accounts at once. Rules about tables that are absent say nothing, which is no fault. A "
        "warning names rules and reasons."
    ),
)


def build_alerts(rules: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `cs/alerts`, upon the views of the rules."""

    @dg.asset(
        key=ALERTS,
        deps=[TRIGGERS, *rules],
        group_name=ALERTS_GROUP,
        owners=[CUSTOMER_SUCCESS],
        kinds={"sql", "postgres"},
        tags=WEEKLY,
        metadata=table_name(ALERTS),
        check_specs=[RULES_ARE_HEALTHY],
        description=(
            "What alert rules found, since when, and how it ended: one row a rule, account and entity. The job "
            "evaluate_alerts asks hourly and daily rules, the weekly job the weekly ones after the scores; a backfill "
            "asks none. A rule without fresh data, or with an error, changes nothing. See docs/alerts.md."
        ),
    )
    def cs_alerts(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.MaterializeResult:
        now = clock.now()
        if rows := take_over(warehouse, now):
            context.log.info("%s events of our mails are new in raw.email_events", f"{rows:,}")
        week = scored_week(context.run)
        if context.run.job_name == WEEKLY_JOB:
            build_rule_views_that_changed(context, warehouse, settings, now.isoformat())
        ticked = Ticked()
        if week is not None or not is_backfill(context.run):
            ticked = tick(warehouse, settings, now, week)
        done = ticked.evaluations
        for each in done:
            if each.error:
                context.log.warning("%s: %s: %s", each.rule, each.health, each.error)
        rules = load_rules(settings.config)
        with warehouse.session() as session:
            health = rule_table(session, rules, now)
            shown = alert_table(alerts(session, now, limit=MOST_SHOWN), rules)
            is_open, fired = open_by_rule(session), fired_by_week(session, now, SHOWN_WEEKS)
        report_rule_health(context.instance, done, health)
        return dg.MaterializeResult(
            metadata={
                "evaluated": len(done),
                "fired": sum(each.fired for each in done),
                "resolved": sum(each.resolved for each in done),
                "held": sum(each.held for each in done),
                "messages_at_once": ticked.planned.at_once,
                "digests": ticked.planned.digests,
                "seconds": round(sum(each.seconds for each in done), 3),
                "open": int(is_open["alerts"].sum()),
                "evaluations": table(evaluation_table(done)),
                "open_by_rule": picture(open_by_severity(is_open), "Open alerts by rule and severity"),
                "fired_by_week": picture(fired_week_by_week(fired), "Alerts fired, week by week"),
                "open_alerts": table(shown.drop(columns=["owner"])),
                "rules": table(health.drop(columns=["description", "evaluated_at"])),
                "site": dg.MetadataValue.url(settings.site_url),
            },
            check_results=[health_result(health)],
        )

    return cs_alerts


def scored_week(run: dg.DagsterRun) -> date | None:
    """The week that the schedule's run has just scored; None for any other run."""
    week = run.tags.get(PARTITION_TAG)
    return date.fromisoformat(week) if week and run.tags.get(ORIGIN_TAG) == LIVE else None


def is_backfill(run: dg.DagsterRun) -> bool:
    """Whether the run builds weeks, one or many, or was asked for together with them."""
    return run.job_name == WEEKLY_JOB or any(tag in run.tags for tag in (PARTITION_TAG, RANGE_START_TAG, BACKFILL_TAG))


def health_result(rules: pd.DataFrame) -> dg.AssetCheckResult:
    """The result of RULES_ARE_HEALTHY for a table of rules."""
    ill = not_healthy(rules)
    return dg.AssetCheckResult(
        check_name=RULES_ARE_HEALTHY.name,
        asset_key=ALERTS,
        passed=ill.empty,
        severity=dg.AssetCheckSeverity.WARN,
        description=", ".join(f"{rule} ({health})" for rule, health in zip(ill["rule"], ill["health"], strict=True)),
        metadata={"not_healthy": table(ill[["rule", "health", "evaluated_for", "error", "held"]])},
    )
