"""The support manager's week: how soon tickets were answered, who still waits, how content customers were."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.reports.dated.catalogue import kind_named, make_report
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.sending import send_report
from cs_pipeline.warehouse.bulk import query
from tests.builders.sample_history import COMPANY, History

MONDAY = COMPANY.ends_at.replace(hour=0)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
TUESDAY = MONDAY - 6 * DAY
KIND = kind_named("support_review")


@pytest.fixture
def session(scored_history: History) -> Iterator[Session]:
    """A transaction that is taken back."""
    with scored_history.warehouse.session() as found:
        yield found
        found.rollback()


@pytest.fixture
def accounts(session: Session) -> list[str]:
    """Two accounts that pay; nobody ever opened a ticket, complained or asked to leave."""
    with session.cursor() as cursor:
        cursor.execute("delete from raw.tickets")
        cursor.execute("delete from raw.feedback")
        cursor.execute("delete from raw.cancellation_requests")
        cursor.execute(
            """
            select account_id from staging.stg_subscriptions
            where mrr between 1 and 500 and started_on < %s and ended_on is null and not is_trial
            group by account_id
            having sum(mrr) between 1 and 500
            order by account_id limit 2
            """,
            [MONDAY - 90 * DAY],
        )
        return [account for (account,) in cursor.fetchall()]


def opened(session: Session, ticket: str, account: str, at: datetime, **values: Any) -> None:
    """A ticket of somebody who pays, a question, not answered but for `values`."""
    row = {
        "ticket_id": ticket,
        "account_id": account,
        "created_at": at,
        "priority": "normal",
        "subject": ticket,
        "_load_id": 1,
        **values,
    }
    with session.cursor() as cursor:
        cursor.execute(
            f"insert into raw.tickets ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", [*row.values()]
        )


def review(session: Session, history: History, moment: datetime = MONDAY + 12 * HOUR) -> Report:
    return make_report(session, KIND, history.settings, moment)


def rows(report: Report, title: str) -> list[tuple[str, ...]]:
    (table,) = [each for each in report.tables if each.title == title]
    return [*table.rows]


@pytest.mark.requirement("S1-20", "S1-22", "S5-36")
def test_the_support_manager_reads_what_changed_who_waits_and_who_was_not_content(
    scored_history: History, session: Session, accounts: list[str]
) -> None:
    one, two = accounts
    opened(session, "in time", one, TUESDAY, first_responded_at=TUESDAY + 2 * HOUR)
    opened(session, "late", two, TUESDAY, first_responded_at=TUESDAY + 100 * HOUR)
    opened(session, "never", one, TUESDAY + DAY)
    opened(session, "just opened", two, MONDAY - HOUR, kind="bug")
    opened(session, "before", two, TUESDAY - 7 * DAY, first_responded_at=TUESDAY - 7 * DAY + HOUR)
    resolved = {"first_responded_at": TUESDAY - 39 * DAY, "resolved_at": TUESDAY + HOUR, "csat_scale": 5}
    opened(session, "content", one, TUESDAY - 40 * DAY, csat=5, **resolved)
    opened(session, "not content", two, TUESDAY - 40 * DAY, csat=2, **resolved)  # 2 is bad
    report = review(session, scored_history)
    assert report.headline == ("4 tickets opened, 33.3 % answered in time, 1 waits past the target, 50 % satisfied")
    assert report.changes[0] == "Tickets opened rose from 1 to 4."
    assert report.changes[1].startswith("Answered in time fell from 100 % to 33.3 % (1 of 3 whose time was up")
    mean = (2 + 100 + 120 + 1) / 4
    assert report.changes[2].startswith(f"The mean wait for a first answer rose from 1 h to {mean:.1f} h; half waited")
    assert report.changes[3] == "Tickets waiting past their time rose from 0 to 1."
    assert report.changes[4] == "Satisfied customers is 50 % (2 answers)."
    assert [row[3:] for row in rows(report, "Waiting for a first answer")] == [
        ("never", "past its time", "support"), ("just opened", "in time", "Customer Success"),
    ]  # fmt: skip
    assert report.decisions[0].startswith("Who answers the 1 ticket past its time (")
    assert report.decisions[0].endswith(": never.")
    assert report.decisions[1] == (
        "2 of 3 tickets had no answer in time, 2 of them where support had 4 h: more hands, other hours, or another "
        "target?"
    )
    assert report.decisions[2].startswith("The mean wait for a first answer is 55.8 h, over 24 h")
    assert report.decisions[3].startswith("Who calls the 1 customer who rated a ticket 2 of 5 or less: ")
    assert [(row[1], row[3]) for row in rows(report, "Bad answers of the week")] == [("2 of 5", "not content")]
    assert [row[0] for row in rows(report, "What tickets were about")] == ["Nobody said", "Bug"]


@pytest.mark.requirement("S1-20", "S1-22")
def test_a_week_of_tickets_begins_on_its_monday_and_ends_before_the_next(
    scored_history: History, session: Session, accounts: list[str]
) -> None:
    one, two = accounts
    first, before = MONDAY - 7 * DAY, MONDAY - 14 * DAY
    for day, ticket in ((first, "first"), (first - SECOND, "a second before"), (before, "first before")):
        opened(session, ticket, one, day, kind="bug", first_responded_at=day + HOUR)
    opened(session, "two weeks before", one, before - SECOND, kind="bug")
    opened(session, "last", one, MONDAY - SECOND, kind="bug")
    opened(session, "next", one, MONDAY, kind="bug")
    opened(session, "late", two, TUESDAY, kind="question")
    opened(session, "late as well", two, MONDAY, kind="question")
    opened(session, "of another", "nobody", TUESDAY, kind="invoice", first_responded_at=TUESDAY + HOUR)
    report = review(session, scored_history)
    assert rows(report, "What tickets were about") == [
        ("Bug", "2", "2", "100 % of 1"), ("Invoice", "1", "0", "100 % of 1"), ("Question", "1", "0", "0 % of 1"),
    ]  # fmt: skip
    (busy,) = rows(report, "Who opened two tickets or more")
    assert busy[1:4] == ("2", "0", "1")
    assert sum(int(row[1]) for row in rows(report, "Answered in time, by who was to answer")) == 4
    assert report.changes[0] == "Tickets opened rose from 2 to 4."


@pytest.mark.requirement("S1-20")
def test_who_opened_two_is_one_account_though_its_contract_grew_between_them(
    scored_history: History, session: Session, accounts: list[str]
) -> None:
    one, _ = accounts
    with session.cursor() as cursor:
        cursor.execute("delete from marts.fct_account_weeks where account_id = %s", [one])  # not built yet
        cursor.execute(
            """
            insert into raw.subscriptions
            select (jsonb_populate_record(subscriptions, jsonb_build_object('subscription_id', 'more', 'started_on',
                %s::date))).*
            from raw.subscriptions as subscriptions
            where account_id = %s and ended_on is null
            order by subscription_id limit 1
            """,
            [TUESDAY + DAY, one],
        )
    opened(session, "before", one, TUESDAY)
    opened(session, "after", one, TUESDAY + DAY)
    (busy,) = rows(review(session, scored_history), "Who opened two tickets or more")
    assert busy[1] == "2"


@pytest.mark.requirement("S1-22")
def test_answers_count_in_the_week_in_which_a_ticket_was_resolved_and_four_of_five_is_satisfied(
    scored_history: History, session: Session, accounts: list[str]
) -> None:
    first = MONDAY - 7 * DAY

    def rated(ticket: str, at: datetime, csat: int | None, **values: Any) -> None:
        row = {"first_responded_at": MONDAY - 99 * DAY, "resolved_at": at, "csat": csat, "csat_scale": 5, **values}
        opened(session, ticket, accounts[0], MONDAY - 100 * DAY, **row)

    rated("satisfied", TUESDAY, 4)
    rated("neither", TUESDAY, 3)
    rated("bad on the first day", first, 2)
    rated("worst in the last second", MONDAY - SECOND, 1)
    rated("a second before", first - SECOND, 1)
    rated("next week", MONDAY, 1)
    rated("arrived later", TUESDAY, 1, _loaded_at=MONDAY)
    rated("not rated", TUESDAY, None)
    rated("without a scale", TUESDAY, 0, csat_scale=0)
    rated("twelve weeks ago", first - 77 * DAY, 4)
    report = review(session, scored_history)
    assert report.changes[-1] == "Satisfied customers rose from 0 % to 25 % (4 answers)."
    assert [row[3] for row in rows(report, "Bad answers of the week")] == [
        "worst in the last second", "bad on the first day",
    ]  # fmt: skip
    (figure,) = report.figures
    assert figure.finding == "Satisfied customers over 12 weeks fell from 100 % to 25 %."


@pytest.mark.requirement("S1-20")
def test_a_past_week_is_told_as_it_was_known_then(
    scored_history: History, session: Session, accounts: list[str]
) -> None:
    opened(session, "answered later", accounts[0], TUESDAY, first_responded_at=MONDAY + HOUR, resolved_at=MONDAY + DAY)
    opened(session, "arrived later", accounts[1], TUESDAY, _loaded_at=MONDAY + HOUR)
    report = review(session, scored_history)
    assert [row[3] for row in rows(report, "Waiting for a first answer")] == ["answered later"]
    then = report_page(report, str)
    opened(session, "next week", accounts[0], MONDAY + HOUR)
    assert report_page(review(session, scored_history, MONDAY + 3 * DAY), str) == then


def test_a_week_without_a_ticket_says_so(scored_history: History, session: Session, accounts: list[str]) -> None:
    assert accounts
    report = review(session, scored_history)
    assert report.headline == "0 tickets opened, nobody waits too long"
    assert report.decisions == ("Nothing this week.",)
    assert [table.rows for table in report.tables] == [()] * len(report.tables)
    assert report.figures == ()


@pytest.mark.requirement("S1-20", "S1-22")
def test_the_sample_companys_week_is_what_pandas_counts_and_goes_to_support_once(
    scored_history: History, session: Session
) -> None:
    settings, now = scored_history.settings, MONDAY + 12 * HOUR
    found = query(scored_history.warehouse, "select * from staging.stg_tickets")
    week = found[
        (found["created_at"] >= MONDAY - 7 * DAY) & (found["created_at"] < MONDAY) & ~found["is_opened_by_us"]
        & found["merged_into"].isna() & found["reopened_at"].isna() & ~(found["_loaded_at"] >= pd.Timestamp(MONDAY))
    ]  # fmt: skip
    sent = send_report(session, KIND, settings, now, now)
    assert f"to {len(week):,}." in sent.report.changes[0]
    assert len(week) > 3
    assert sum(int(row[1]) for row in rows(sent.report, "Answered in time, by who was to answer")) == len(week)
    assert [figure.name for figure in sent.report.figures] == ["answered_in_time", "satisfied"]
    assert (sent.planned, send_report(session, KIND, settings, now, now).planned) == (1, 0)
    with session.cursor() as cursor:
        cursor.execute("select recipient from cs.actions where playbook = 'reports' and step = 'support_review'")
        assert cursor.fetchall() == [("#support-agents",)]
        cursor.execute("update cs.loads set finished_at = %s where source_table = 'tickets'", [MONDAY - HOUR])
    with pytest.raises(UserError, match=r"is not sent: tickets were not loaded since the week ended on .*: load them"):
        send_report(session, KIND, settings, now, now)
