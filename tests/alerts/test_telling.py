"""That an alert is told once, at once or in the morning, in one message with its table and its page."""

from datetime import timedelta

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import rule
from tests.builders.company import Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]

URGENT = {"severity": "urgent"}


def test_an_urgent_alert_is_told_at_once_and_others_in_the_morning(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(company, settings, rule("idle", **URGENT), rule("quiet"))
    people.find("acme")
    people.find("acme", rule="quiet")
    people.evaluate()
    people.plan()
    people.deliver()
    assert people.read() == ["Urgent: Acme: acme is at 2"]
    people.hours(0, 2)
    assert people.read()[1:] == ["Alerts on Tuesday 11 March: 1 new"]


def test_what_goes_on_is_told_once_and_what_is_over_to_those_who_knew(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(company, settings, rule())
    for found in (["acme"], ["acme"], ["acme"], [], []):
        people.day(*found)
    assert people.all_read() == [
        ("olga@ours.example", "Alerts on Tuesday 11 March: 1 new"),
        ("olga@ours.example", "Alerts on Friday 14 March: 1 got better"),
    ]


def test_what_is_urgent_for_one_account_comes_in_one_message_in_its_thread(
    company: Company, settings: Settings
) -> None:
    company.account("acme")
    company.account("brill")
    people = Readers(company, settings, rule("one", **URGENT), rule("two", **URGENT))
    for name in ("one", "two"):
        people.find("acme", "brill", rule=name)
    people.evaluate()
    people.plan()
    people.deliver()
    assert people.read() == ["Urgent: Acme: 2 new", "Urgent: Brill: 2 new"]
    found = people.run("select distinct account_id from cs.actions where playbook = 'alerts' order by 1")
    assert found == [("acme",), ("brill",)]


@pytest.mark.parametrize("address", ["", "https://cs.example.com/"])
def test_a_message_leads_to_the_page_of_the_alert_where_the_site_has_an_address(
    company: Company, settings: Settings, address: str
) -> None:
    company.account("acme")
    known = settings.model_copy(update={"site_url": address}) if address else settings
    people = Readers(company, known, rule("idle", **URGENT))
    people.find("acme")
    people.evaluate()
    people.plan()
    ((blocks, html, text),) = people.run("select blocks::text, html, body from cs.notices where html is not null")
    ((alert,),) = people.run("select alert_id from cs.alerts")
    assert [f"https://cs.example.com/alerts/{alert}" in str(each) for each in (blocks, html, text)] == [
        bool(address)
    ] * 3
    assert ("Open the alert" in str(blocks)) == bool(address)


def test_a_title_says_what_a_person_is_called_until_the_name_is_gone(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.run("create table raw.users (account_id text, user_id text, full_name text)")
    company.run("insert into raw.users values ('acme', 'u1', 'Zoë Wren'), ('brill', 'u1', 'Somebody Else')")
    people = Readers(company, settings, rule(title="{person} of {account_name} is quiet", **URGENT))
    people.find("acme/u1", "acme/u2")
    people.evaluate()
    people.plan()
    ((told,),) = people.run("select body from cs.notices where html is not null")
    assert "Zoë Wren of Acme is quiet" in told
    assert "User u2 of Acme is quiet" in told


@pytest.mark.requirement("S1-02", "S1-06")
def test_a_rule_of_mode_once_sends_one_message_with_its_table(company: Company, settings: Settings) -> None:
    people = Readers(
        company,
        settings,
        rule(
            "csat",
            mode="once",
            title="CSAT is {measured:.1f}",
            show_rows=2,
            notify={"to": "support", "channel": "#support-agents"},
        ),
    )
    people.run(
        """
        create or replace view alerts.csat as
        select cast(moment as timestamptz) as as_of, ''::text as account_id, 'csat'::text as entity,
            3.25::double precision as measured, 5::double precision as held_against,
            '{"rows": [{"account": "Acme <b>", "csat": 1}, {"account": "Brill", "csat": 2}, {"account": "C"}]}'::jsonb
            as facts
        from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)
        """
    )
    people.rules["csat"] = rule(
        "csat",
        mode="once",
        title="CSAT is {measured:.1f}",
        show_rows=2,
        first_run="loud",
        notify={"to": "support", "channel": "#support-agents"},
    )
    people.day()
    people.day()
    assert people.all_read() == [("#support-agents", "CSAT is 3.2")]
    ((blocks, html, text),) = people.run("select blocks::text, html, body from cs.notices where html is not null")
    assert "*Acme &lt;b&gt;* · csat 1" in blocks
    assert "and 1 more" in blocks
    assert "Acme &lt;b&gt;</td>" in html
    assert "Account · Csat\nAcme <b> · 1\nBrill · 2" in text


def test_restarting_between_evaluating_and_telling_loses_and_repeats_nothing(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(**URGENT))
    people.find("acme")
    people.evaluate()  # and it dies
    people.now += timedelta(hours=1)
    for _ in range(3):
        people.plan()  # and dies after each commit
    people.evaluate(timedelta())
    for _ in range(3):
        people.deliver()
    assert people.read() == ["Urgent: Acme: acme is at 2"]
