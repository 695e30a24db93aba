"""Show every KPI of a month: target, trend, interval, and the bridge of MRR; of the whole or of a part."""

from datetime import date

from starlette.responses import Response

from cs_pipeline.errors import UserError
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.reports.kpis.board import Asked, kpi_board
from cs_pipeline.site.bridge_chart import bridge_chart
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.sparkline import polyline


def show(asked: PageRequest) -> Response:
    """The month and the part of the address, as 2026-06 and tier=enterprise."""
    question = asked_of(asked)
    with asked.session() as session:
        board = kpi_board(session, load_kpis(asked.settings.config), question)
    for _, rows in board.sections:
        for row in rows:
            row["spark"] = _spark(row["trend"])
    return asked.render("kpis", board=board, question=question, chart=bridge_chart(board.bridge))


def asked_of(asked: PageRequest) -> Asked:
    """What the address asks for. Raises UserError for a month that is none."""
    kind, _, segment = asked.asked("part").partition("=")
    text = asked.asked("month")
    try:
        month = date.fromisoformat(f"{text}-01") if text else None
    except ValueError:
        raise UserError(f"'{text}' is no month; expected one such as 2026-06") from None
    return Asked(kind, segment, month) if segment else Asked(month=month)


def _spark(trend: list[float]) -> str:
    return polyline(trend, low=min(trend), high=max(trend)) if len(set(trend)) > 1 else ""


PAGE = Page("kpis", "/kpis", show, navigation="KPIs")
