"""What a delivery asks of the outbox, and what its figures ask, does not grow with all that ever went out, nor with all
that still waits."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.channels.message import Outcome
from cs_pipeline.plays.outbox import missed, operations, queue
from cs_pipeline.plays.outbox.record import MOST_RETRIES, record
from cs_pipeline.reports.data_health.sends import stuck
from cs_pipeline.reports.plays.queries import recent_messages
from tests.builders.company import MONDAY, Company

SHORT, LONG = 10_000, 40_000
"""Messages that went out long ago."""
NEWS = 20
BATCH = 100

HISTORY = """
with planned as (
    insert into cs.notices (notice_key, subject, body, created_at)
    select 'old ' || number, 'Old', 'Told.', %(now)s::timestamptz - interval '30 days' - number * interval '1 minute'
    from generate_series(%(first)s::integer, %(last)s) as number
    returning notice_id, notice_key, created_at
),

sent as (
    insert into cs.actions (
        action_key, notice_id, playbook, step, account_id, channel, role, recipient, intent, due_at, expires_at,
        status, reason, delivery, sent_at, told_at
    )
    select
        notice_key, notice_id, 'alerts', 'alert', notice_id, 'slack', 'owner', '#all', 'inform', created_at,
        created_at + interval '14 days',
        case notice_id %% 20 when 0 then 'failed' when 1 then 'suppressed' else 'sent' end,
        case notice_id %% 20 when 0 then 'refused' when 1 then 'stale' end,
        'capture', case when notice_id %% 20 > 1 then created_at end, created_at
    from planned
)

insert into cs.captured_messages (action_key, channel, recipient, subject, body_text, payload, captured_at)
select notice_key, 'slack', '#all', 'Old', 'Told.', '{}', created_at from planned
"""
NEW = """
with planned as (
    insert into cs.actions (
        action_key, playbook, step, account_id, channel, role, recipient, intent, due_at, expires_at, status, attempts,
        claimed_by, lease_until, enrolment_id, notice_id
    )
    select
        'new ' || number, 'yellow', 'guide', 'a', 'slack', 'owner', '#all', 'inform', %(now)s,
        %(now)s::timestamptz + case when number %% 2 = 0 then interval '-1 hour' else interval '14 days' end,
        case when number %% 2 = 0 then 'planned' else 'claimed' end, %(attempts)s,
        case when number %% 2 = 1 then 'w' end,
        case when number %% 2 = 1 then %(now)s::timestamptz end, enrolment_id, null
    from generate_series(1, %(news)s * 2) as number
    cross join cs.enrolments
    returning action_id
)

insert into cs.action_attempts (action_id, attempt, claimed_by, claimed_at, outcome, cause, recorded_at)
select action_id, attempt, 'w', %(now)s, 'retry', 'message', %(now)s
from planned cross join generate_series(1, %(attempts)s) as attempt
"""
WAITING = """
insert into cs.actions (
    action_key, playbook, step, account_id, channel, role, recipient, intent, due_at, expires_at, status, enrolment_id
)
select
    'waiting ' || number, 'yellow', 'guide', 'a', 'email', 'champion', 'ada@a.example', 'inform', %(now)s,
    %(now)s::timestamptz + interval '14 days', 'planned', enrolment_id
from generate_series(%(first)s::integer, %(last)s) as number
cross join cs.enrolments
"""


class Counting(Cursor):
    """Counts the pages that statements read, each of which it tries just before."""

    pages: int = 0

    def execute(self, query: Any, vars: Any = None) -> None:
        if "advisory" not in str(query):
            super().execute("savepoint tried")
            super().execute("explain (analyze, buffers, timing off, format json) " + query, vars)
            (found,) = self.fetchone() or ([],)
            Counting.pages += found[0]["Plan"]["Shared Hit Blocks"] + found[0]["Plan"]["Shared Read Blocks"]
            super().execute("rollback to tried")
        super().execute(query, vars)


def pages_for_news(company: Company) -> dict[str, int]:
    """Pages that questions about the news read."""
    claimed = [row for (row,) in company.run("select action_id from cs.actions where status = 'claimed'")]
    refused = {(each, MOST_RETRIES + 1): Outcome("retry", cause="message") for each in claimed}
    return pages_of(
        company,
        {
            "refused for the last time": lambda session: record(session, refused, MONDAY),
            "stale": lambda session: missed.hold(session, MONDAY),
            "told to nobody": lambda session: operations.untold(session, MONDAY),
            "captured": recent_messages,
            "stuck": stuck,
        },
    )


def pages_of(company: Company, questions: Mapping[str, Callable[[Session], object]]) -> dict[str, int]:
    """Pages that each question reads, asked in a transaction that leaves no trace."""
    company.run("analyze cs.actions, cs.notices, cs.captured_messages, cs.action_attempts, cs.enrolments")
    company.run("vacuum cs.actions, cs.notices, cs.captured_messages")
    session = company.warehouse.connect()
    session.cursor_factory = Counting
    found: dict[str, int] = {}
    for name, ask in questions.items():
        Counting.pages = 0
        ask(session)
        found[name] = Counting.pages
        session.rollback()
    session.close()
    return found


def enrol(company: Company) -> None:
    """One account, in one play."""
    company.run("insert into cs.playbooks values ('yellow', 'v', '{}')")
    company.fall(company.account("a"))
    company.run(
        """
        insert into cs.enrolments (
            playbook, playbook_version, family, account_id, trigger_id, subject_id, anchor_on, status, enrolled_at
        )
        select 'yellow', 'v', 'save', 'a', trigger_id, 'a', current_date, 'active', %s from cs.triggers
        """,
        MONDAY,
    )


def wait(company: Company, first: int, last: int) -> None:
    """Mails of the play, all due at the same moment."""
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(WAITING, {"now": MONDAY, "first": first, "last": last})


def grown(short: Mapping[str, int], long: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Questions that read more pages, of less and of more that they are not about."""
    return {name: (short[name], pages) for name, pages in long.items() if pages > 1.3 * short[name] + 20}


def test_what_is_new_costs_the_same_whatever_went_out_before(company: Company) -> None:
    enrol(company)
    asked = {"now": MONDAY, "news": NEWS, "attempts": MOST_RETRIES + 1}
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(HISTORY, {"now": MONDAY, "first": 1, "last": SHORT})
        cursor.execute(NEW, asked)
        cursor.execute(
            "insert into cs.notices (notice_key, subject, body, created_at) "
            "select 'new ' || number, 'New', 'Tell.', %s from generate_series(1, %s) as number",
            [MONDAY - timedelta(hours=1), NEWS],
        )
    short = pages_for_news(company)
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(HISTORY, {"now": MONDAY, "first": SHORT + 1, "last": LONG})
    long = pages_for_news(company)
    assert grown(short, long) == {}


def test_a_batch_of_what_is_due_costs_the_same_however_much_waits(company: Company) -> None:
    enrol(company)
    questions = {"the next batch": lambda session: queue.due(session, ["email"], BATCH, MONDAY)}
    wait(company, 1, SHORT)
    short = pages_of(company, questions)
    wait(company, SHORT + 1, LONG)
    assert grown(short, pages_of(company, questions)) == {}
