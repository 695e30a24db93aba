"""A report as a page: one file that needs nothing else, that can be printed, and read on a phone or in the dark."""

from collections.abc import Callable

from markupsafe import Markup

from cs_pipeline.html_pages import page_templates
from cs_pipeline.reports.charts import as_svg
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.words import sentence, unbroken

_pages = page_templates("cs_pipeline.reports")


def report_page(report: Report, account_url: Callable[[str], str]) -> str:
    """The page as HTML. The same report gives the same page."""
    return _pages.get_template("report.html.j2").render(
        report=report,
        sentence=sentence,
        unbroken=unbroken,
        account_url=account_url,
        figures=[(figure, Markup(as_svg(figure.chart))) for figure in report.figures],
    )
