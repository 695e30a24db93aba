"""List captured messages: what would have left the machine, newest first; each is a page of its own."""

from starlette.responses import Response

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.reports.plays.captured import captured_messages
from cs_pipeline.site.page import Page, PageRequest

AT_A_TIME = 100


def show(asked: PageRequest) -> Response:
    """Search by subject, recipient, account or playbook, and by channel."""
    channel = asked.asked("channel")
    before = asked.asked_whole("before", 0, most=10**9)
    channel = channel if channel in KINDS else ""
    with asked.session() as session:
        found = captured_messages(
            session, asked.asked("search"), channel if channel in KINDS else "", before, AT_A_TIME + 1
        )
    rows = found.to_dict("records")
    return asked.render(
        "messages", rows=rows[:AT_A_TIME], kinds=KINDS, channel=channel, search=asked.asked("search"),
        next_before=rows[AT_A_TIME - 1]["action_id"] if len(rows) > AT_A_TIME else None,
    )  # fmt: skip


PAGE = Page("messages", "/messages", show, navigation="Messages")
