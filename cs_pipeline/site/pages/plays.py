"""List playbooks: what runs, what waits for a person, what went out lately and what did not."""

from starlette.responses import Response

from cs_pipeline.reports.plays.playbook_page import FIGURES, LATELY, awaiting_approval, playbook_lines
from cs_pipeline.site.page import Page, PageRequest


def show(asked: PageRequest) -> Response:
    """All playbooks, and the actions that wait for approval."""
    with asked.session() as session:
        lines = playbook_lines(session, asked.playbooks, asked.now)
        waiting = awaiting_approval(session)
    used = [line for line in lines if any(line[name] for name in FIGURES)]
    return asked.render(
        "plays",
        used=used,
        unused=[line for line in lines if line["is_there"] and line not in used],
        figures=FIGURES,
        running=sum(line["running"] for line in lines),
        waiting=waiting,
        awaiting=sum(line["awaiting"] for line in lines),
        days=LATELY.days,
    )


PAGE = Page("plays", "/plays", show, navigation="Plays")
