"""The value report of a customer: what was gained beside what is paid; nothing that is ours alone, in no face."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.reports.business_review.facts import Review, months_before, read_review
from cs_pipeline.reports.business_review.value_report import value_report
from cs_pipeline.reports.business_review.value_sending import send_to_owner
from cs_pipeline.reports.dated.mail import MailWriter
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.reports.dated.slack import slack_blocks
from cs_pipeline.reports.dated.words import Money
from cs_pipeline.warehouse.bulk import query
from tests.builders.sample_history import COMPANY, History

END = COMPANY.ends_on
MONTHS = 6
FIRST = date(END.year, END.month - MONTHS, END.day)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def session(scored_history: History) -> Iterator[Session]:
    """A transaction that is taken back."""
    with scored_history.warehouse.session() as found:
        yield found
        found.rollback()


@pytest.fixture(scope="module")
def account(scored_history: History) -> str:
    """Who pays, and has most value recorded."""
    ((found,),) = scored_history.rows(
        f"""
        select account_id
        from staging.stg_value_log
        inner join (
            select distinct on (account_id) account_id, arr from marts.fct_account_weeks order by account_id, week desc
        ) as weeks using (account_id)
        where weeks.arr > 0 and recorded_on >= '{FIRST}' and recorded_on < '{END}'
        group by account_id
        order by count(*) desc, account_id
        limit 1
        """
    )
    return str(found)


def made(session: Session, account: str, end: date = END) -> tuple[Review, Report]:
    review = read_review(session, account, end, MONTHS)
    return review, value_report(review, Money("$"))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def faces(history: History, report: Report) -> list[str]:
    text, html = MailWriter(history.settings, lambda _: "").write(report)
    return [report_page(report, lambda _: ""), text, html, json.dumps(slack_blocks(report), ensure_ascii=False)]


@pytest.mark.requirement("S4-189", "S5-30")
def test_value_is_that_of_the_rows_beside_what_is_paid_and_how_the_product_was_used(
    scored_history: History, session: Session, account: str
) -> None:
    log = query(scored_history.warehouse, f"select * from raw.value_log where account_id = '{account}'")
    log = log[(log["recorded_on"] >= FIRST) & (log["recorded_on"] < END)]
    first = log.sort_values("value_id").iloc[0]["value_id"]
    with session.cursor() as cursor:  # the first day belongs to the months, the day after the last does not
        cursor.execute("update raw.value_log set recorded_on = %s where value_id = %s", [FIRST, first])
        cursor.execute(
            "insert into raw.value_log (value_id, account_id, recorded_on, kind, amount, _load_id) "
            "select 'beyond', account_id, %s, kind, 1e6, _load_id from raw.value_log where value_id = %s",
            [END, first],
        )
    review, report = made(session, account)
    total = float(log["amount"].astype(float).sum())
    assert total > 0
    assert report.headline.startswith(f"${total:,.0f} of value")
    value, usage, *_ = report.tables
    by_kind = log.assign(amount=log["amount"].astype(float)).groupby("kind")["amount"].sum().round()
    shown = {row[0]: float(row[1].replace("$", "").replace(",", "")) for row in value.rows}
    assert sorted(shown[kind.replace("_", " ").capitalize()] for kind in by_kind.index) == sorted(by_kind)
    paid = float(review.account["arr"]) * (END - FIRST).days / 365.25
    assert shown["What you pay for as long"] == round(paid)
    assert shown["Value for each $1 paid"] == pytest.approx(total / paid, abs=0.051)
    people = review.weeks["active_users_7d"].astype(float)
    assert usage.rows[0] == (
        "People active a week",
        *(f"{each:g}" for each in (people.iloc[0], people.iloc[-1], people.max())),
    )
    assert [figure.name for figure in report.figures][-1] == "active_people"


@pytest.mark.requirement("S4-189", "S5-30")
def test_no_face_shows_the_customer_what_is_ours_alone(scored_history: History, session: Session, account: str) -> None:
    report = made(session, account)[1]
    bands = [
        band for (band,) in scored_history.rows("select distinct lower(band) from cs.health_scores where band <> ''")
    ]
    assert bands
    for face in faces(scored_history, report):
        said = re.sub(r"<style.*?</style>|<svg.*?</svg>", "", face, flags=re.S).lower()
        for word in ("score", "at risk", "alert", "churn", "playbook", "/accounts/"):
            assert word not in said, word
        assert [band for band in bands if re.search(rf">[^<]*\b{band}\b", said)] == []
        assert "what changed" in said
        assert "what to decide" in said


@pytest.mark.requirement("S4-189")
def test_a_report_of_a_past_day_knows_nothing_later(session: Session, account: str, scored_history: History) -> None:
    end = END - timedelta(weeks=8)
    before = faces(scored_history, made(session, account, end)[1])
    with session.cursor() as cursor:
        cursor.execute("delete from raw.value_log where recorded_on >= %s", [str(end)])
        cursor.execute("delete from raw.tickets where created_at >= %s", [str(end)])
        cursor.execute("delete from raw.feedback where created_at >= %s", [str(end)])
    assert faces(scored_history, made(session, account, end)[1]) == before


@pytest.mark.requirement("S3-38", "S4-189")
def test_what_a_review_counts_ends_with_its_days(session: Session, account: str) -> None:
    end, first = midnight(END), midnight(FIRST)
    with session.cursor() as cursor:
        for table in ("feedback", "tickets", "feature_launches", "value_log"):
            cursor.execute(f"delete from raw.{table}")

    def wrote(table: str, key: str, **values: Any) -> None:
        """A row of the account, with its key first."""
        row = {key: values.pop("called"), "_load_id": 1, **values}
        with session.cursor() as cursor:
            cursor.execute(
                f"insert into raw.{table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", [*row.values()]
            )

    def said(called: str, at: datetime, resolved: datetime | None = None, **values: Any) -> None:
        row = {"account_id": account, "kind": "praise", "body": called, "created_at": at, "resolved_at": resolved}
        wrote("feedback", "feedback_id", called=called, **{**row, **values})

    said("on the first day, settled on the last", first, end - SECOND)
    said("before, open", first - SECOND)
    said("before, settled afterwards", first - SECOND, end)
    said("before, settled", first - SECOND, end - SECOND)
    said("in the last second", end - SECOND, _loaded_at=end - SECOND)
    said("afterwards", end)
    said("arrived afterwards", first, _loaded_at=end)
    said("of another", first, account_id="another")

    def asked(called: str, at: datetime, priority: str = "low", **values: Any) -> None:
        row = {"account_id": account, "subject": called, "created_at": at, "priority": priority}
        wrote("tickets", "ticket_id", called=called, **{**row, **values})

    asked("on the first day", first, first_responded_at=first + 3 * HOUR, resolved_at=end - SECOND)
    asked("on the second day", first + DAY, first_responded_at=first + DAY + 9 * HOUR, resolved_at=end - SECOND)
    asked("answered afterwards", first, first_responded_at=end, resolved_at=end)
    asked("before, open", first - SECOND, "high", first_responded_at=first + HOUR)
    asked("in the last second", end - SECOND, "critical", _loaded_at=end - SECOND)
    asked("afterwards", end)
    asked("arrived afterwards", first, first_responded_at=first + HOUR, _loaded_at=end)
    asked("of another", first, account_id="another")

    tier = read_review(session, account, END, MONTHS).account["tier"]
    assert tier

    def launched(called: str, on: date, tier: str | None = None, **values: Any) -> None:
        wrote("feature_launches", "launch_id", called=called, feature=called, launched_on=on, tier=tier, **values)

    launched("on the first day", FIRST)
    launched("before", FIRST - DAY, _loaded_at=first)
    launched("on the last day", END - DAY, tier)
    launched("unknown until it came", END)
    launched("to come", END + DAY, _loaded_at=end - SECOND)
    launched("told afterwards", FIRST, _loaded_at=end)
    launched("of another tier", FIRST, "another")

    def gained(called: str, on: date, amount: int, **values: Any) -> None:
        row = {"account_id": account, "recorded_on": on, "kind": "saved", "amount": amount}
        wrote("value_log", "value_id", called=called, **{**row, **values})

    before = months_before(END, 2 * MONTHS)
    gained("too early", before - DAY, 1)
    gained("on the first day before", before, 2)
    gained("on the last day before", FIRST - DAY, 4, _loaded_at=end - SECOND)
    gained("on the first day", FIRST, 8)
    gained("arrived afterwards", before, 16, _loaded_at=end)
    gained("of the period, arrived afterwards", FIRST, 32, _loaded_at=end)
    gained("of another", before, 64, account_id="another")

    review = read_review(session, account, END, MONTHS)
    settled = {row["body"]: row["settled_on"] for row in review.feedback.to_dict("records")}
    assert settled == {
        "in the last second": None,
        "on the first day, settled on the last": END - DAY,
        "before, open": None,
        "before, settled afterwards": None,
    }
    assert next(iter(settled)) == "in the last second", "the newest first"
    assert (review.tickets["opened"].sum(), review.tickets["resolved"].sum()) == (4, 2)
    assert review.hours_to_answer == (3 + 9) / 2
    assert [*review.open_tickets["subject"]] == ["in the last second", "before, open", "answered afterwards"]
    assert [*review.launches["feature"]] == ["on the first day", "on the last day", "to come"]
    assert review.value_before == 2 + 4
    assert [*review.value["amount"].astype(float)] == [8]


@pytest.mark.requirement("S4-189")
def test_what_nobody_measured_is_asked(session: Session, account: str) -> None:
    with session.cursor() as cursor:
        cursor.execute("delete from raw.value_log")
    report = made(session, account)[1]
    assert report.headline == "no value is recorded for these months yet"
    assert "Which result would prove the value to you, and who records it?" in report.decisions
    assert report.tables[0].rows == ()


def test_the_owner_gets_it_once_and_who_has_none_is_told(
    session: Session, account: str, scored_history: History
) -> None:
    review, report = made(session, account)
    now = COMPANY.ends_at
    planned = [send_to_owner(session, review, report, scored_history.settings, now) for _ in range(2)]
    assert planned == [True, False]
    with session.cursor() as cursor:
        cursor.execute("select channel, recipient, account_id from cs.actions where step = 'value_report'")
        assert cursor.fetchall() == [("email", review.account["owner_email"], account)]
    nobodys = replace(review, account={**review.account, "owner_email": None})
    with pytest.raises(UserError, match=r"had no owner before .*: give it an owner_email in accounts, or use --output"):
        send_to_owner(session, nobodys, report, scored_history.settings, now)
