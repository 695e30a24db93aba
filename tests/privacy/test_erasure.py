"""After a person is erased, nothing here knows their address, name or words; what counts is as it was."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from cs_pipeline.answers.mail_events import keep
from cs_pipeline.channels.sendgrid_events import read_events
from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.feedback.ledger import route
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver
from tests.builders.mail_events import body_of, event

ADA = "ada@acme.example"
MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}


@pytest.fixture
def written(company: Company, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Ada was written to, and so was Eve; both have left traces everywhere."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    for account in ("acme", "other"):
        company.account(account, severity=1)
    company.run("update marts.dim_contacts set full_name = 'Ada Lovelace' where account_id = 'acme'")
    for schema in ("landing", "landing_shop"):  # as dlt lands it, keyed by address
        company.run(f"create schema {schema}")
    company.run(
        """
        create table raw.users (
            user_id text, account_id text, email text, full_name text, timezone text, unsubscribed_at timestamptz
        );
        insert into raw.users
        select user_id, account_id, initcap(email), full_name, 'Europe/London' from marts.dim_contacts;
        create table raw.feedback (feedback_id text, user_id text, body text);
        insert into raw.feedback values ('f1', 'acme-ada', 'I am cross'), ('f2', 'other-ada', 'I am glad');
        create table raw.email_events (user_id text, email text);
        insert into raw.email_events values ('acme-ada', 'Ada.Old@acme.example'), (null, 'ada@acme.example');
        create table landing.people (mail text, name text, plan text);
        insert into landing.people
        values ('ADA@acme.example', 'Ada Lovelace', 'pro'), ('eve@other.example', 'Eve', 'pro');
        create table landing_shop.people (email varchar not null, name varchar);
        insert into landing_shop.people values ('ada@acme.example', 'Ada Lovelace'), ('eve@other.example', 'Eve');
        insert into cs.loads (source_table, origin) values ('users', 'users.csv');
        insert into raw.raw_rejects (load_id, source_table, origin, reason, row_data)
        select load_id, 'users', 'users.csv', 'r', '{"email": "ada@acme.example"}' from cs.loads;
        """
    )
    triggers = [company.fall(account) for account in ("acme", "other")]
    enrol(company.warehouse, save_play(steps=[MAIL], exit=[]), triggers, settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    company.insert("cs.suppressions", address="Ada <Ada@acme.example>", reason="bounced", source="s", since=MONDAY)
    company.insert(
        "cs.crm_tasks",
        external_id="k",
        kind="task",
        account_id="acme",
        title="Call Ada Lovelace",
        body=f"Write to {ADA} first",
        assignee="olga@ours.example",
        due_on=date(2025, 3, 10),
        priority="normal",
        created_at=MONDAY,
    )
    fire(company.warehouse, "contact_quiet", "acme", "acme-ada", facts={"full_name": "Ada Lovelace", "days": 9})
    fire(company.warehouse, "negative_feedback", "acme", "f1", facts={"body": "I am cross"})
    fire(company.warehouse, "negative_feedback", "other", "f2", facts={"body": "I am glad"})
    fire(company.warehouse, "signup_stuck", "acme", ADA, snoozed_until=MONDAY, snooze_reason="Ada Lovelace will call")
    company.insert(
        "cs.triggers", kind="alert", trigger_key=f"alert:signup_stuck:acme:{ADA}", account_id="acme", subject_id=ADA,
        anchor_on=MONDAY.date(),
        occurred_at=MONDAY, facts=json.dumps({"title": "Ada Lovelace is quiet"}),
    )  # fmt: skip
    company.insert(
        "cs.notices", notice_key="k", subject="Ada Lovelace is quiet", body=f"Ask {ADA}", created_at=MONDAY,
        html="<p>Ada Lovelace</p>", blocks=json.dumps(["Ada Lovelace"]),
    )  # fmt: skip
    company.insert(
        "cs.conversation_notes", touchpoint_id="t1", account_id="acme", note=f"Ada Lovelace ({ADA}) leaves in May",
        noted_by="olga@ours.example", noted_at=MONDAY,
    )  # fmt: skip
    company.insert(
        "cs.slack_answers", action_key="k", verb="not_a_risk", answered_by="olga@ours.example", answered_at=MONDAY,
        reason=f"Ada Lovelace ({ADA}) is on leave",
    )  # fmt: skip
    opened = event("open", MONDAY, ADA), event("click", MONDAY, "eve@x.example", url=f"https://x.example/?to={ADA}")
    with company.warehouse.session() as session:
        keep(session, read_events(body_of([*opened]), unsubscribe_group=None), MONDAY)
    hand_on(company, settings)
    deliver(company.warehouse, settings, clock)
    for owner in (ADA, "olga@ours.example"):
        page = f"Accounts of {owner}"
        company.insert(
            "cs.reports", report="at_risk_review", period=MONDAY.date(), owner=owner, as_of=MONDAY, made_at=MONDAY,
            headline="1 account", page=page,
        )  # fmt: skip
    return company


def hand_on(company: Company, settings: Settings) -> None:
    """What both said goes to the product team in one message."""
    company.run("create schema intermediate")
    company.run(
        """
        create table intermediate.int_feedback_items as
        select
            'feedback' as said_in, feedback_id as source_id, split_part(user_id, '-', 1) as account_id,
            'complaint' as kind, null::text as question, null::text as feature, null::text as asked_by,
            null::double precision as score_share, %(now)s::timestamptz as said_at, body as words,
            %(now)s::timestamptz as arrived_at
        from raw.feedback;
        create table staging.stg_features (feature text, feature_name text)
        """.replace("%(now)s", f"'{MONDAY.isoformat()}'")
    )
    with company.warehouse.session() as session:
        assert route(session, load_routing(None), settings, MONDAY).messages == 1


def everything(company: Company) -> str:
    """All rows of all tables of ours but the marts, which are views on what was loaded."""
    tables = company.column(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables "
        "where table_schema in ('raw', 'landing', 'landing_shop', 'cs') and table_type = 'BASE TABLE'"
    )
    return "\n".join(str(sorted(map(str, company.run(f"select * from {table}")))) for table in tables).lower()


def erase(person: str) -> str:
    return CliRunner().invoke(app, ["person", "erase", person, "--yes"], catch_exceptions=False).output


@pytest.mark.parametrize("person", [ADA, "ADA@Acme.Example", "Ada <ada@acme.example>", "acme-ada"])
def test_nothing_here_knows_the_person_any_more(written: Company, settings: Settings, person: str) -> None:
    assert "lovelace" in everything(written)
    erase(person)
    left = everything(written)
    assert "lovelace" not in left
    assert ADA not in left
    assert "cross" not in left
    pages = [page.read_text() for page in settings.captures.rglob("*") if page.is_file()]
    assert not [page for page in pages if ADA in page or "Lovelace" in page]


def test_others_are_as_they_were(written: Company, settings: Settings) -> None:
    erase(ADA)
    assert written.run("select email, full_name from raw.users where user_id = 'other-ada'") == [
        ("Ada@Other.Example", "Ada")
    ]
    assert written.column("select body from raw.feedback where feedback_id = 'f2'") == ["I am glad"]
    assert written.column("select owner from cs.reports") == ["olga@ours.example"]
    assert written.column("select facts ->> 'body' from cs.alerts where entity = 'f2'") == ["I am glad"]
    assert written.run("select mail, name from landing.people order by 1") == [
        ("eve@other.example", "Eve"),
        (None, None),
    ]
    assert written.run("select email, name from landing_shop.people order by 1") == [
        ("", None),
        ("eve@other.example", "Eve"),
    ]
    assert written.column("select recipient from cs.captured_messages order by 1") == [
        "ada@other.example", "erased", "erased",
    ]  # fmt: skip
    listed = (settings.captures / "messages.js").read_text()
    assert listed.count("captured(") == 1
    assert "ada@other.example" in listed


def test_what_counts_stays(written: Company) -> None:
    def counts() -> list[object]:
        tables = (
            "cs.actions",
            "cs.action_attempts",
            "cs.captured_messages",
            "cs.crm_tasks",
            "raw.users",
            "raw.feedback",
        )
        return [written.column(f"select count(*) from {table}") for table in tables]

    before = counts()
    erase(ADA)
    assert counts() == before
    assert written.run("select status, count(*) from cs.actions group by 1") == [("sent", 3)]
    assert written.run("select title, body from cs.crm_tasks") == [("Call erased", "Write to erased first")]


def test_a_load_that_brings_the_address_back_brings_no_mail(written: Company, settings: Settings, clock: Clock) -> None:
    erase(ADA)
    play = save_play(playbook="next", family="next", steps=[MAIL], exit=[])
    enrol(written.warehouse, play, [written.fall("acme", key="next")], settings, MONDAY)
    deliver(written.warehouse, settings, clock)
    assert written.run("select status, reason from cs.actions where playbook = 'next'") == [("suppressed", "bounced")]
    assert written.column("select reason from cs.suppressions order by 1") == ["bounced", "by_hand"]


def test_erasing_twice_is_erasing_once(written: Company) -> None:
    erase("acme-ada")
    before = everything(written)
    erase("acme-ada")
    assert everything(written) == before


def test_who_is_not_known_cannot_be_erased_and_is_not_repeated(written: Company) -> None:
    with pytest.raises(UserError, match="Nobody is known") as error:
        erase("nobody@acme.example")
    assert "nobody@acme.example" not in str(error.value)
