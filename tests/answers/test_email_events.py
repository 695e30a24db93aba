"""What became of our mails is in `raw.email_events`, as any load would bring it, and so in the score's own metrics."""

from datetime import timedelta
from typing import Any

import pytest

from cs_pipeline.answers.email_events import ORIGIN, take_over
from cs_pipeline.answers.mail_events import keep
from cs_pipeline.channels.sendgrid_events import read_events
from tests.builders.company import MONDAY, Company
from tests.builders.mail_events import body_of, event

AT = MONDAY - timedelta(hours=1)


def told(company: Company, *events: Any) -> int:
    """Keep the events, and take them over."""
    with company.warehouse.session() as session:
        keep(session, read_events(body_of(events), unsubscribe_group=None), MONDAY)
    return take_over(company.warehouse, MONDAY)


def rows(company: Company, columns: str = "event") -> list[tuple]:
    return company.run(f"select {columns} from raw.email_events order by occurred_at, event, email_event_id")


def key_of(company: Company, step: str = "s") -> str:
    ((key,),) = company.run("select action_key from cs.actions where step = %s", step)
    return key


@pytest.mark.requirement("S5-14", "S3-10")
def test_events_of_our_mail_become_rows_of_the_contract(written: Company) -> None:
    key = key_of(written)
    minutes = [AT + timedelta(minutes=each) for each in range(8)]
    told(
        written,
        event("processed", minutes[0], action_key=key),
        event("deferred", minutes[0], action_key=key),
        event("delivered", minutes[1], action_key=key),
        event("open", minutes[2], action_key=key, sg_machine_open=True),
        event("open", minutes[3], action_key=key, sg_machine_open=False),
        event("click", minutes[4], action_key=key, url="https://app.example.com"),
        event("bounce", minutes[5], action_key=key, type="blocked"),
        event("group_unsubscribe", minutes[6], action_key=key),
        event("something_new", minutes[7], action_key=key),
    )
    assert rows(written, "event, occurred_at") == [
        ("sent", minutes[0]),
        ("delivered", minutes[1]),
        ("open", minutes[3]),
        ("click", minutes[4]),
        ("soft_bounce", minutes[5]),
        ("unsubscribe", minutes[6]),
    ]
    assert written.run(
        "select distinct account_id, user_id, email, message_id, campaign, _loaded_at from raw.email_events"
    ) == [("acme", "acme-ada", "ada@acme.example", key, "yellow", MONDAY)]
    assert written.run("select origin, rows_read, rows_loaded, finished_at is not null from cs.loads") == [
        (ORIGIN, 9, 6, True)
    ]
    assert written.column("select count(*) from cs.sendgrid_events") == [9], "all stay as they came"


def test_a_mail_that_arrived_was_sent(written: Company) -> None:
    key = key_of(written)
    assert told(written, event("delivered", AT, action_key=key)) == 2
    assert rows(written) == [("delivered",), ("sent",)]
    assert told(written, event("processed", AT, action_key=key), event("open", AT, action_key=key)) == 1
    assert rows(written) == [("delivered",), ("open",), ("sent",)], "it was sent once"
    assert take_over(written.warehouse, MONDAY) == 0
    assert written.column("select count(*) from cs.loads") == [2], "nothing new is no load"


def test_mail_to_us_and_mail_of_others_says_nothing_of_a_customer(written: Company) -> None:
    written.run("delete from raw.accounts")
    assert told(written, event("open", AT, action_key=key_of(written))) == 0, "no account of the contract"
    written.run("insert into raw.accounts values ('acme')")
    assert (
        told(
            written,
            event("open", AT, "olga@ours.example", action_key=key_of(written, "ours")),
            event("open", AT, action_key="of another system"),
            event("open", AT),
        )
        == 0
    )
    assert rows(written) == []
    assert written.column("select count(*) from cs.sendgrid_events where load_id is null") == [0]


def test_without_accounts_events_wait(written: Company) -> None:
    written.run("drop table raw.accounts")
    assert told(written, event("open", AT, action_key=key_of(written))) == 0
    assert written.column("select to_regclass('raw.email_events')") == [None]
    written.run("create table raw.accounts (account_id text primary key); insert into raw.accounts values ('acme')")
    assert take_over(written.warehouse, MONDAY) == 1


def test_a_table_that_lacks_newer_columns_gets_them(written: Company) -> None:
    told(written, event("open", AT, action_key=key_of(written)))
    written.run("alter table raw.email_events drop column campaign")
    assert told(written, event("click", AT, action_key=key_of(written))) == 1
    assert rows(written, "event, campaign") == [("click", "yellow"), ("open", None)]


def test_malformed_events_are_rejects_with_their_reason(written: Company) -> None:
    told(written, {"event": "open", "email": "a@a.example"}, "text")
    told(written, event("open", AT, action_key=key_of(written)))
    assert written.run("select source_table, origin, reason, row_data from raw.raw_rejects order by 3") == [
        (
            "email_events", ORIGIN,
            "has no moment in the field `timestamp`, which is a number of seconds since 1970",
            {"event": "open", "email": "a@a.example"},
        ),
        ("email_events", ORIGIN, "is no event, which is an object with fields", {"body": "text"}),
    ]  # fmt: skip
    assert written.column("select rows_rejected from cs.loads order by load_id desc limit 1") == [2]
