"""Show one KPI: month by month, part by part, how it is reckoned, and what to do where its target is missed."""

from psycopg2.extensions import connection as Session
from starlette.responses import Response

from cs_pipeline.reports.kpis.board import kpi_page
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.pages.kpis import asked_of
from cs_pipeline.site.trend_chart import trend_chart


def show(asked: PageRequest) -> Response:
    """The KPI of the address, of the month and the part that it asks for."""
    question = asked_of(asked)
    with asked.session() as session:
        page = kpi_page(session, asked.part("kpi"), question)
    chart = trend_chart(page.months[::-1], page.row["target"])
    return asked.render("kpi", page=page, row=page.row, question=question, chart=chart)


def examples(session: Session) -> list[str]:
    """One with a target, and one without."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            (select kpi from cs.kpi_definitions where target is not null order by kpi limit 1)
            union
            (select kpi from cs.kpi_definitions where target is null order by kpi limit 1)
            """
        )
        return [f"/kpis/{kpi}" for (kpi,) in cursor.fetchall()]


PAGE = Page("kpi", "/kpis/{kpi}", show, examples=examples)
