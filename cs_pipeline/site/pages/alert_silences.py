"""List what people are not told of for a while, and let them silence a rule, or one about an account."""

from starlette.responses import Response

from cs_pipeline.reports.alerts.lists import silences
from cs_pipeline.site.page import Page, PageRequest


def show(asked: PageRequest) -> Response:
    """The silences that last, those that end first at the top."""
    with asked.session() as session:
        rows = silences(session, asked.now).to_dict("records")
    return asked.render("alert_silences", rows=rows, rules=asked.rules)


PAGE = Page("alert_silences", "/alerts/silences", show)
