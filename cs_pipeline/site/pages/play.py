"""Show one playbook: its steps, who is in it, whether it helps, what was not sent and why, what is planned."""

from psycopg2.extensions import connection as Session
from starlette.responses import Response

from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.backtest.trials import with_goals
from cs_pipeline.backtest.uplift import FEWEST, Uplift, decided_accounts, uplifts
from cs_pipeline.errors import UserError
from cs_pipeline.reports.plays.playbook_page import LATELY, STATES, awaiting_approval, playbook_page
from cs_pipeline.site.kept import state_of_data
from cs_pipeline.site.page import Page, PageRequest


def show(asked: PageRequest) -> Response:
    """The playbook of the address."""
    name = asked.part("playbook")
    playbook = asked.playbooks.get(name)
    with asked.session() as session:
        page = playbook_page(session, name, playbook, asked.now)
        waiting = awaiting_approval(session, name)
        state = (state_of_data(session), asked.now.date())
    if playbook is None and not page.counts:
        raise UserError(f"There is no playbook '{name}'; `cs-pipeline play list` lists those that there are")
    return asked.render(
        "play",
        page=page,
        name=name,
        playbook=playbook,
        waiting=waiting,
        states=[state for state in STATES if any(step[state] for step in page.steps)],
        uplifts=asked.site.kept.get(
            f"uplift of {name}", state, lambda: [_words(each) for each in _uplifts(asked, name)]
        ),
        hold_out=playbook.hold_out if playbook else 0.0,
        fewest=FEWEST,
        days=LATELY.days,
    )


def _uplifts(asked: PageRequest, name: str) -> list[Uplift]:
    try:
        decided = decided_accounts(asked.warehouse, name, asked.now)
        return uplifts(*with_goals(asked.warehouse, decided, asked.playbooks, asked.now))
    except UserError:
        return []  # no marts yet, of which the other pages speak


def _words(uplift: Uplift) -> dict[str, object]:
    """A row: figures of shares in percentage points, of scores in points."""
    found, scale = uplift.difference, 100.0 if uplift.measure.is_share else 1.0
    is_known = not isinstance(found, TooLittle)
    return {
        "measure": uplift.measure.name,
        "is_share": uplift.measure.is_share,
        "enrolled": uplift.enrolled,
        "held_out": uplift.held_out,
        "mean_enrolled": uplift.mean_enrolled,
        "mean_held_out": uplift.mean_held_out,
        "difference": found.value * scale if is_known else None,
        "low": found.low * scale if is_known else None,
        "high": found.high * scale if is_known else None,
        "verdict": uplift.verdict,
        "why": "" if is_known else found.reason,
    }


def examples(session: Session) -> list[str]:
    """The playbook with most plays, and one whose file may be no more."""
    with session.cursor() as cursor:
        cursor.execute("select playbook from cs.enrolments group by playbook order by count(*) desc, playbook limit 2")
        return [f"/plays/{playbook}" for (playbook,) in cursor.fetchall()]


PAGE = Page("play", "/plays/{playbook}", show, examples=examples)
