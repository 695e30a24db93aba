"""List alerts: what is open, what nobody has taken, what is held or over; by rule, severity, owner and text."""

from starlette.responses import Response

from cs_pipeline.alerts.rule import SEVERITIES
from cs_pipeline.reports.accounts.book import choices
from cs_pipeline.reports.alerts.browsing import (
    COUNTED,
    MOST_PAGES,
    SHOWS,
    SORTS,
    AlertQuestion,
    alert_list,
    counts_by_rule,
    counts_by_show,
)
from cs_pipeline.site.page import Page, PageRequest

BASELINE = {"0": False, "1": True}


def show(asked: PageRequest) -> Response:
    """A page of alerts. An owner of `me` is the reader."""
    owner = asked.asked("owner")
    question = AlertQuestion(
        show=asked.asked("show", "open") or "open",
        rule=asked.asked("rule"),
        severities=tuple(filter(None, asked.asked("severity").split(","))),
        owner=asked.reader.name if owner == "me" else owner,
        search=asked.asked("search"),
        baseline=BASELINE.get(asked.asked("baseline")),
        sort=asked.asked("sort", "severity") or "severity",
        page=asked.asked_whole("page", 0, most=MOST_PAGES),
    )
    with asked.session() as session:
        found = alert_list(session, question, asked.rules, asked.now)
        counts, by_rule = counts_by_show(session, asked.now), counts_by_rule(session)
        owners = choices(session)["owner"]
    return asked.render(
        "alerts",
        found=found,
        question=question,
        shows=SHOWS,
        sorts=SORTS,
        severities=(*SEVERITIES, "urgent,high", "medium,low"),
        severity=",".join(question.severities),
        counts=counts,
        counted_up_to=COUNTED,
        by_rule=by_rule if not question.rule else {question.rule: 0, **by_rule},
        owners=owners,
        is_narrowed=any([question.rule, question.severities, question.owner, question.search])
        or question.baseline is not None,
    )


PAGE = Page("alerts", "/alerts", show, navigation="Alerts")
