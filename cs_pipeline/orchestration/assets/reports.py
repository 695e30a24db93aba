"""Reports as assets, one each: made of the last period that has ended, kept, and planned for those who receive it.

What a report says is in `reports/dated`. Shown here is what holds no person: Dagster keeps what it shows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import (
    ACTIONS,
    ALERTS,
    CUSTOMER_SUCCESS,
    HEALTH_SCORES,
    KPIS,
    REPORTS_GROUP,
    ROUTED_FEEDBACK,
    TICKET_SLA,
)
from cs_pipeline.orchestration.metadata import picture
from cs_pipeline.reports.charts import as_png
from cs_pipeline.reports.dated.catalogue import KINDS, Kind
from cs_pipeline.reports.dated.places import report_url
from cs_pipeline.reports.dated.readiness import Needs
from cs_pipeline.reports.dated.sending import send_report
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

UPSTREAM: dict[Needs, Sequence[dg.AssetKey]] = {
    "scores": (HEALTH_SCORES, ALERTS, ACTIONS),
    "kpis": (KPIS, HEALTH_SCORES),
    "feedback": (ROUTED_FEEDBACK,),
    "tickets": (TICKET_SLA, HEALTH_SCORES),
}


class PeriodConfig(dg.Config):
    """Which period; as it stands, the last that has ended."""

    as_of: str = Field(default="", description="The last period that had ended on this day, as 2025-06-02. Empty: now.")


def report_key(kind: Kind) -> dg.AssetKey:
    """The asset of a report."""
    return dg.AssetKey([REPORTS_GROUP, f"{kind.name}_sent"])


def build_reports() -> list[dg.AssetsDefinition]:
    """An asset for each report there is."""
    return [_asset_of(kind) for kind in KINDS.values()]


def _asset_of(kind: Kind) -> dg.AssetsDefinition:
    @dg.asset(
        key=report_key(kind),
        deps=UPSTREAM[kind.needs],
        group_name=REPORTS_GROUP,
        owners=[CUSTOMER_SUCCESS],
        kinds={"python"},
        tags={"cs_pipeline/rhythm": kind.rhythm},
        description=(
            f"{kind.title}, {kind.rhythm}: {kind.says}. Its page is kept in cs.reports; who receives it is said in "
            "reports.yaml, and nobody gets one twice. Delivery is capture until somebody sets it otherwise. "
            "See docs/reports.md."
        ),
    )
    def report(
        config: PeriodConfig,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.MaterializeResult:
        now = clock.now()
        with warehouse.session() as session:
            sent = send_report(session, kind, settings, _moment(config.as_of, now), now)
        made = sent.report
        return dg.MaterializeResult(
            metadata={
                "period": made.period.words,
                "headline": made.headline,
                "planned_for": sent.planned,
                "had_it_before": sent.known,
                "decisions": len(made.decisions),
                "page": dg.MetadataValue.url(report_url(settings, made)),
                **{figure.name: picture(as_png(figure.chart), figure.finding) for figure in made.figures},
            }
        )

    return report


def _moment(as_of: str, now: datetime) -> datetime:
    """Noon of the day, as the command line has it: a period can end at its midnight."""
    if not as_of:
        return now
    try:
        return datetime.strptime(as_of, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(hours=12)
    except ValueError:
        raise UserError(f"as_of: expected a day such as 2025-06-02, got '{as_of}'") from None
