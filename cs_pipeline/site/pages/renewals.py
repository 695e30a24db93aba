"""Show the renewals that come: health, ARR, how likely each is, what is planned, and what months are to bring."""

from datetime import timedelta

from starlette.responses import Response

from cs_pipeline.reports.accounts.book import choices
from cs_pipeline.reports.accounts.renewals import MOST_PAGES, SORTS, TYPES, WITHIN, RenewalQuestion, renewals
from cs_pipeline.reports.kpis.forecast import accuracy_of_quarter, forecast_by_month
from cs_pipeline.site.page import Page, PageRequest


def show(asked: PageRequest) -> Response:
    """A page of renewals. An owner of `me` is the reader."""
    within = asked.asked_whole("within", 90, most=max(WITHIN))
    owner = asked.asked("owner")
    question = RenewalQuestion(
        within=within if within in WITHIN else 90,
        owner=asked.reader.name if owner == "me" else owner,
        type=asked.asked("type"),
        at_risk=asked.asked("at_risk") == "1",
        sort=asked.asked("sort", "date") or "date",
        page=asked.asked_whole("page", 0, most=MOST_PAGES),
    )
    with asked.session() as session:
        found = renewals(session, question, asked.now.date())
        owners = choices(session)["owner"]
        until = asked.now.date() + timedelta(days=question.within)
        months = forecast_by_month(session, question.owner, question.type, question.at_risk, until)
        accuracy = accuracy_of_quarter(session)
    return asked.render(
        "renewals",
        found=found,
        question=question,
        within=WITHIN,
        types=TYPES,
        sorts=SORTS,
        owners=owners,
        months=months,
        accuracy=accuracy,
        is_narrowed=any([question.owner, question.type, question.at_risk]),
    )


PAGE = Page("renewals", "/renewals", show, navigation="Renewals")
