"""Show every account: search, filters, sorts and views, all of them in the address, so that it can be kept and sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from cs_pipeline.history.account_overview import is_behind, write_overview
from cs_pipeline.reports.accounts.book import FILTERS, SORTS, Question, book_page, choices
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.sparkline import polyline


@dataclass(frozen=True)
class View:
    """A question that many ask, by name. An owner of `me` is the reader."""

    title: str
    asks: Mapping[str, str]


VIEWS = (
    View("All accounts", {}),
    View("My accounts", {"owner": "me", "sort": "score"}),
    View("My accounts at risk", {"owner": "me", "at_risk": "1", "sort": "arr"}),
    View("At risk, by ARR", {"at_risk": "1", "sort": "arr"}),
    View("Renewals in 90 days", {"renews": "90", "sort": "renewal"}),
    View("At risk and renewing in 90 days", {"at_risk": "1", "renews": "90", "sort": "renewal"}),
    View("Biggest drops", {"falls": "1", "sort": "drop"}),
    View("Asked to cancel", {"cancels": "1", "sort": "arr"}),
    View("With open alerts", {"alerts": "1", "sort": "arr"}),
)
WITHIN = ("30", "60", "90", "120", "180")


def show(asked: PageRequest) -> Response:
    """A page of accounts."""
    filters = {name: asked.asked(name) for name in FILTERS}
    if filters["owner"] == "me":
        filters["owner"] = asked.reader.name
    question = Question(asked.asked("search"), filters, asked.asked("sort", "score") or "score", asked.asked("after"))
    with asked.session() as session:
        behind = is_behind(session)
    if behind:
        write_overview(asked.warehouse)
    with asked.session() as session:
        page = book_page(session, question, asked.now.date())
        can_be = choices(session)
    for row in page.rows:
        row["spark"] = polyline(row["trend"] or [], low=0, high=100)
    current = {name: value for name, value in asked.request.query_params.items() if value and name != "after"}
    return asked.render(
        "book",
        page=page,
        question=question,
        filters=filters,
        chosen=[name for name, value in filters.items() if value],
        can_be=can_be,
        sorts=SORTS,
        within=WITHIN,
        views=[view for view in VIEWS if asked.reader.may_act or view.asks.get("owner") != "me"],
        current=current,
    )


PAGE = Page("book", "/accounts", show, navigation="Book")
