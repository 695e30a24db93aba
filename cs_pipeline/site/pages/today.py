"""Show what a customer-success manager has to do today: alerts, tasks, approvals, and where an hour keeps most."""

from starlette.responses import Response

from cs_pipeline.reports.accounts.book import choices
from cs_pipeline.reports.accounts.today import today_of
from cs_pipeline.site.page import Page, PageRequest

EVERYBODY = "everybody"


def show(asked: PageRequest) -> Response:
    """The day of the owner in the address; without one, the reader's own where they own accounts."""
    with asked.session() as session:
        owners = choices(session)["owner"]
        mine = asked.reader.name if asked.reader.name in owners else EVERYBODY
        chosen = asked.asked("owner") or mine
        day = today_of(session, None if chosen == EVERYBODY else chosen, asked.rules, asked.now)
    return asked.render(
        "today",
        day=day,
        queue=day.queue.to_dict("records"),
        owners=owners,
        owner=chosen,
        everybody=EVERYBODY,
    )


PAGE = Page("today", "/today", show, navigation="Today")
