"""What the page of playbooks reads does not grow with the plays that are long over."""

from datetime import timedelta

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.reports.plays.playbook_page import playbook_lines
from tests.builders.company import MONDAY, Company
from tests.plays.outbox.test_cost_of_news import Counting

SHORT, LONG = 10_000, 40_000

OVER = """
with opened as (
    insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
    select 'over ' || number, 'alert', 'o' || number, 'o' || number, %(then)s, %(then)s::date, '{}'
    from generate_series(%(first)s::integer, %(last)s) as number
    returning trigger_id, account_id
)

insert into cs.enrolments (
    playbook, playbook_version, family, account_id, trigger_id, subject_id, anchor_on, status, reason, enrolled_at,
    ended_at
)
select
    'yellow', 'v', 'save', account_id, trigger_id, account_id, %(then)s::date,
    %(status)s, %(reason)s, %(then)s, case when %(status)s <> 'active' then %(then)s::timestamptz end
from opened
"""


def write(cursor: Cursor, first: int, last: int, status: str, reason: str | None, days_ago: int) -> None:
    then = MONDAY - timedelta(days=days_ago)
    cursor.execute(OVER, {"first": first, "last": last, "status": status, "reason": reason, "then": then})


def pages_read(company: Company) -> int:
    """To show the playbooks, with the figures as they are to be."""
    company.run("vacuum analyze cs.enrolments, cs.triggers")
    session = company.warehouse.connect()
    session.cursor_factory = Counting
    Counting.pages = 0
    (line,) = playbook_lines(session, {}, MONDAY)
    session.close()
    figures = {name: line[name] for name in ("running", "enrolled", "refused", "held_out")}
    assert figures == {"running": 30, "enrolled": 20, "refused": 7, "held_out": 5}
    return Counting.pages


def test_playbooks_at_a_glance_cost_the_same_whatever_is_over(company: Company) -> None:
    company.run("insert into cs.playbooks values ('yellow', 'v', '{}')")
    with company.warehouse.session() as session, session.cursor() as cursor:
        write(cursor, -100, -91, "active", None, 60)
        write(cursor, -90, -71, "active", None, 3)
        write(cursor, -70, -66, "refused", "hold_out", 90)
        write(cursor, -60, -54, "refused", "audience", 3)
        write(cursor, -50, -45, "refused", "trigger", 3)
        write(cursor, 1, SHORT, "completed", None, 90)
    short = pages_read(company)
    with company.warehouse.session() as session, session.cursor() as cursor:
        write(cursor, SHORT + 1, LONG, "completed", None, 90)
    long = pages_read(company)
    assert long <= 1.3 * short + 20
    assert short < 100
