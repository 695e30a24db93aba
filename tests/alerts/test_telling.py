"""Who is told of which alert, when, and that it is told once."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.channels.slack_as_card import as_card
from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import START, rule
from tests.builders.company import Company
from tests.builders.delivering import deliver
from tests.builders.fixtures import clock, company, settings
from tests.builders.messages import SLACK

__all__ = ["clock", "company", "settings"]

URGENT = {"severity": "urgent"}


def readers(company: Company, settings: Settings, *rules: Rule) -> Readers:
    return Readers(company, settings, *rules)


def test_an_urgent_alert_is_told_at_once_and_others_in_the_morning(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = readers(company, settings, rule("idle", **URGENT), rule("quiet"))
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
    people = readers(company, settings, rule())
    for found in (["acme"], ["acme"], ["acme"], [], []):
        people.day(*found)
    assert people.all_read() == [
        ("olga@ours.example", "Alerts on Tuesday 11 March: 1 new"),
        ("olga@ours.example", "Alerts on Friday 14 March: 1 got better"),
    ]


def test_what_came_and_went_before_the_morning_is_not_told(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = readers(company, settings, rule(schedule="hourly"))
    people.at(datetime(2025, 3, 11, 12, tzinfo=UTC))
    for found in (["acme"], ["acme"], []):
        people.find(*found)
        people.evaluate(timedelta(hours=1))
        people.plan()
    people.hours(*range(24))
    assert people.all_read() == []
    assert people.run("select kind, dropped from cs.alert_notifications") == [("new", "over")]


def test_what_is_back_before_anybody_was_told_is_told_as_new(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = readers(company, settings, rule(schedule="hourly", again_after="5 days"))
    people.at(datetime(2025, 3, 11, 12, tzinfo=UTC))
    for found in (["acme"], [], ["acme"]):
        people.find(*found)
        people.evaluate(timedelta(hours=1))
        people.plan()
    people.hours(*range(24))
    assert people.read() == ["Alerts on Wednesday 12 March: 1 new"]


def test_what_is_silently_back_stands_in_the_digest(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = readers(company, settings, rule(again_after="30 days"))
    for found in (["acme"], [], ["acme"], ["acme"]):
        people.day(*found)
    assert [subject.partition(": ")[2] for subject in people.read()] == ["1 new", "1 got better", "1 back again"]


@pytest.mark.requirement("C-37")
@pytest.mark.parametrize(
    ("owner", "manager", "executive", "channel", "told"),
    [
        ("olga@ours.example", "max@ours.example", "eva@ours.example", None, "olga@ours.example"),
        ("", "max@ours.example", "eva@ours.example", None, "max@ours.example"),
        ("n/a", None, "Eva <EVA@ours.example>", None, "eva@ours.example"),
        (None, None, None, "#renewals", "#renewals"),
        (None, None, None, None, "#cs-pipeline"),
    ],
)
def test_the_first_who_is_known_is_told(
    company: Company,
    settings: Settings,
    owner: str | None,
    manager: str | None,
    executive: str | None,
    channel: str | None,
    told: str,
) -> None:
    company.account("acme", owner_email=owner, manager_email=manager, executive_email=executive)
    people = readers(company, settings, rule(**URGENT, notify={"to": "owner", "channel": channel}))
    people.find("acme")
    people.evaluate()
    people.plan()
    people.deliver()
    assert [recipient for recipient, _ in people.all_read()] == [told]


@pytest.mark.requirement("S1-16", "S1-20", "S1-22", "S1-24", "S3-93")
def test_teams_are_told_at_their_address_or_in_their_channel(
    company: Company, settings: Settings, tmp_path: Path
) -> None:
    company.account("acme")
    (tmp_path / "alerts.yaml").write_text("teams:\n  support: {channel: '#help', email: Sam@Ours.example}\n")
    people = readers(
        company,
        settings.model_copy(update={"config": tmp_path}),
        rule("slow", **URGENT, notify={"to": "support"}),
        rule("few", **URGENT, notify={"to": "support", "channel": "#support-agents"}),
        rule("heavy", **URGENT, notify={"to": "sales"}),
        rule("orphan", **URGENT, type="upsell", notify={"to": "owner"}),
    )
    for name in ("slow", "few", "heavy"):
        people.find("acme", rule=name)
    people.find("nobody", rule="orphan")
    people.evaluate()
    people.plan()
    people.deliver()
    told = people.run(
        "select rule, recipient, role from cs.alert_notifications order by rule",
    )
    assert told == [
        ("few", "#support-agents", "channel"),
        ("heavy", "#sales", "sales"),
        ("orphan", "#sales", "sales"),
        ("slow", "sam@ours.example", "support"),
    ]
    assert people.run("select channel from cs.captured_messages where recipient = 'sam@ours.example'") == [("email",)]


def test_a_wrong_team_is_one_sentence_with_its_line(company: Company, settings: Settings, tmp_path: Path) -> None:
    from cs_pipeline.alerts.team_file import load_directory
    from cs_pipeline.yaml_with_lines import InvalidFile

    (tmp_path / "alerts.yaml").write_text(
        "teams:\n  sales: {channel: sales}\n  support: {channel: '#s', email: nobody}\n"
        "people:\n  olga@ours.example: {timezone: Berlin}\n"
    )
    with pytest.raises(InvalidFile) as caught:
        load_directory(tmp_path)
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/alerts.yaml:2: teams.sales.channel: expected a Slack channel such as '#sales' (in quotes: # "
        "begins a comment), got 'sales'",
        f"{tmp_path}/alerts.yaml:3: teams.support.email: expected an e-mail address such as support@ours.example, got "
        "'nobody'",
        f"{tmp_path}/alerts.yaml:5: people.olga@ours.example.timezone: expected a time zone such as Europe/Berlin, got "
        "'Berlin'",
    ]


@pytest.mark.parametrize(
    ("zone", "evaluated", "sent"),
    [
        ("UTC", datetime(2025, 3, 11, 6, tzinfo=UTC), datetime(2025, 3, 11, 8, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2025, 3, 11, 7, tzinfo=UTC), datetime(2025, 3, 11, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 3, 11, 6, tzinfo=UTC), datetime(2025, 3, 11, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 11, 3, 6, tzinfo=UTC), datetime(2025, 11, 3, 13, tzinfo=UTC)),  # winter
        ("Asia/Tokyo", datetime(2025, 3, 14, 6, tzinfo=UTC), datetime(2025, 3, 16, 23, tzinfo=UTC)),  # after a weekend
    ],
)
def test_the_digest_comes_in_the_readers_morning_of_a_working_day(
    company: Company, settings: Settings, tmp_path: Path, zone: str, evaluated: datetime, sent: datetime
) -> None:
    company.account("acme")
    (tmp_path / "alerts.yaml").write_text(f"people:\n  olga@ours.example: {{timezone: {zone}}}\n")
    people = readers(company, settings.model_copy(update={"config": tmp_path}), rule(schedule="hourly"))
    people.at(evaluated - timedelta(hours=1))
    people.find("acme")
    people.evaluate(timedelta(hours=1))
    people.hours(*range(72))
    assert people.run("select created_at from cs.notices where notice_key like 'alerts/digest/%%'") == [(sent,)]


def test_one_digest_a_day_even_when_more_comes_in_the_morning(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.account("brill")
    people = readers(company, settings, rule(schedule="hourly"))
    people.at(datetime(2025, 3, 11, 7, tzinfo=UTC))
    people.find("acme")
    people.evaluate(timedelta(hours=1))
    people.plan()
    people.find("acme", "brill")
    people.evaluate(timedelta(hours=1))
    people.hours(*range(24))
    assert [subject.partition(":")[0] for subject in people.read()] == [
        "Alerts on Tuesday 11 March",
        "Alerts on Wednesday 12 March",
    ]


def test_what_is_urgent_for_one_account_comes_in_one_message_in_its_thread(
    company: Company, settings: Settings
) -> None:
    company.account("acme")
    company.account("brill")
    people = readers(company, settings, rule("one", **URGENT), rule("two", **URGENT))
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
    people = readers(company, known, rule("idle", **URGENT))
    people.find("acme")
    people.evaluate()
    people.plan()
    ((blocks, html, text),) = people.run("select blocks::text, html, body from cs.notices where html is not null")
    ((alert,),) = people.run("select alert_id from cs.alerts")
    assert [f"https://cs.example.com/alerts/{alert}" in str(each) for each in (blocks, html, text)] == [
        bool(address)
    ] * 3
    assert ("Open the alert" in str(blocks)) == bool(address)


@pytest.mark.requirement("S1-02", "S1-06")
def test_a_rule_of_mode_once_sends_one_message_with_its_table(company: Company, settings: Settings) -> None:
    people = readers(
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


def test_reminders_and_escalation_come_until_somebody_acknowledges(company: Company, settings: Settings) -> None:
    company.account("acme", executive_email="eva@ours.example")
    people = readers(
        company, settings, rule(remind_every="3 days", escalate={"after": "1 day", "to": "manager"}, **URGENT)
    )
    for _ in range(4):
        people.day("acme")
    assert people.all_read() == [
        ("olga@ours.example", "Urgent: Acme: acme is at 2"),
        ("max@ours.example", "Urgent: Acme: acme is at 2"),
        ("olga@ours.example", "Urgent: Acme: acme is at 2"),
    ]
    people.run("update cs.alerts set acknowledged_at = %s, acknowledged_by = 'olga'", people.now)
    for _ in range(4):
        people.day("acme")
    assert len(people.all_read()) == 3
    people.day()
    assert people.all_read()[3:] == [
        ("max@ours.example", "Over: Acme: acme is at 2"),
        ("olga@ours.example", "Over: Acme: acme is at 2"),
    ]


def test_who_acknowledges_in_time_is_neither_reminded_nor_escalated(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = readers(
        company, settings, rule(remind_every="1 day", escalate={"after": "1 day", "to": "manager"}, **URGENT)
    )
    people.day("acme")
    people.run("update cs.alerts set acknowledged_at = %s, acknowledged_by = 'olga'", people.now)
    for _ in range(3):
        people.day("acme")
    assert people.run("select kind, recipient from cs.alert_notifications") == [("new", "olga@ours.example")]


@pytest.mark.parametrize("how", ["acknowledged", "over"])
def test_what_needs_no_telling_any_more_is_not_in_the_digest(company: Company, settings: Settings, how: str) -> None:
    company.account("acme")
    company.account("brill")
    people = readers(company, settings, rule())
    people.find("acme", "brill")
    people.evaluate()
    people.run(
        "update cs.alerts set acknowledged_at = now(), acknowledged_by = 'olga' where entity = 'acme'"
        if how == "acknowledged"
        else "update cs.alerts set state = 'closed', cause = 'account_left', ended_at = now() where entity = 'acme'"
    )
    people.hours(2)
    assert people.read() == ["Alerts on Tuesday 11 March: 1 new"]
    assert people.run("select dropped from cs.alert_notifications where account_id = 'acme'") == [(how,)]


def test_an_escalation_goes_past_who_was_told_already(company: Company, settings: Settings) -> None:
    company.account("acme", owner_email=None, executive_email="eva@ours.example")
    people = readers(company, settings, rule(escalate={"after": "1 day", "to": "manager"}, **URGENT))
    for _ in range(3):
        people.day("acme")
    assert [recipient for recipient, _ in people.all_read()] == ["max@ours.example", "eva@ours.example"]


def test_what_is_snoozed_is_told_at_its_end_if_it_still_fires(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.account("brill")
    people = readers(company, settings, rule(remind_every="1 day"))
    people.day("acme", "brill")
    people.run("update cs.alerts set snoozed_until = %s, snooze_reason = 'away'", START + timedelta(days=4))
    people.day("acme", "brill")
    people.day("acme")
    assert [subject.partition(": ")[2] for subject in people.read()] == ["2 new", "1 got better"]
    people.day("acme")
    assert [subject.partition(": ")[2] for subject in people.read()][2:] == ["1 still open"]


@pytest.mark.parametrize(("of_rule", "of_account"), [("idle", None), (None, "acme"), ("idle", "acme")])
def test_a_silence_loses_nothing(
    company: Company, settings: Settings, of_rule: str | None, of_account: str | None
) -> None:
    company.account("acme")
    people = readers(company, settings, rule(**URGENT))
    company.insert(
        "cs.alert_silences",
        rule=of_rule,
        account_id=of_account,
        until=START + timedelta(days=3),
        reason="migration",
        set_by="olga",
        set_at=START,
    )
    people.day("acme")
    assert (people.all_read(), people.states()) == ([], [("acme", "firing")])
    people.day("acme")
    people.day("acme")
    people.day("acme")
    assert people.read() == ["Urgent: Acme: acme is at 2"]


@pytest.mark.parametrize("waits", [True, False])
def test_a_stopped_account_waits_in_digests_and_at_once(company: Company, settings: Settings, *, waits: bool) -> None:
    company.account("acme")
    people = readers(company, settings, rule(**({} if waits else URGENT)))
    with company.warehouse.session() as session:
        kill_switch.stop(session, "account", "acme", "a lawsuit", "olga", START)
    people.day("acme")
    assert people.all_read() == []
    with company.warehouse.session() as session:
        kill_switch.lift(session, "account", "acme")
    people.day("acme")
    assert len(people.read()) == 1


def test_a_baseline_and_what_is_held_are_told_to_operations_only(company: Company, settings: Settings) -> None:
    company.accounts(3)
    people = readers(company, settings, rule(limits={"accounts": 1, "share": 0.1}))
    people.day("a0", "a1", "a2")
    assert people.all_read() == []
    assert people.run("select distinct recipient from cs.captured_messages") == [("#cs-pipeline",)]


def test_hostile_words_stay_words_in_every_form(company: Company, settings: Settings) -> None:
    name = "<!channel> <https://evil.example|Acme> *b* <script>alert(1)</script> {entity}"
    company.account("acme", account_name=name)
    people = readers(company, settings, rule(**URGENT), rule("calm"))
    people.find("acme/<img src=x onerror=alert(1)> {account_id} {0} _i_")
    people.find("acme/<img src=x onerror=alert(1)> \N{RIGHT-TO-LEFT OVERRIDE} `c`", rule="calm")
    people.evaluate()
    people.hours(0, 2)
    assert len(people.read()) == 2
    for blocks, html, page in people.run(
        """
        select notices.blocks::text, notices.html, captured.path from cs.notices
        inner join cs.actions using (notice_id) inner join cs.captured_messages as captured using (action_key)
        where notices.blocks is not null
        """
    ):
        markup = "".join(re.findall(r'"text": "([^"]*)", "type": "mrkdwn"', blocks))
        assert "<!channel>" not in markup
        assert "<https://evil" not in markup
        assert "&lt;!channel&gt;" in blocks
        shown = html + (settings.captures / page).read_text()
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in blocks + shown
        assert "{account_id}" in blocks or "ˋcˋ" in blocks, "nothing in a value is a place of its own"


HOSTILE = (
    "<!channel> <https://evil.example|x> [y](https://evil.example) <at>all</at> <script>alert(1)</script> "
    "**b** {entity}"
)


@pytest.mark.parametrize("in_teams", [False, True])
def test_hostile_facts_stay_text_in_slack_mail_teams_and_on_pages(
    company: Company, settings: Settings, in_teams: bool
) -> None:
    """What a rule measured is text of customers: in the title, as an entity, in the table of a whole result."""
    company.account("acme")
    facts = {"said": HOSTILE, "rows": [{"account": HOSTILE, HOSTILE: HOSTILE}, {"account": "Brill"}]}
    says = {"title": "It says {said}", "first_run": "loud", **URGENT}
    whole = rule("whole", mode="once", **says | {"notify": {"to": "operations"}})
    people = readers(company, settings, rule("said", **says), whole)
    people.run(
        f"""
        create or replace view alerts.said as
        select
            cast(moment as timestamptz) as as_of, 'acme'::text as account_id, {quoted(HOSTILE)} as entity,
            3::double precision as measured, 5::double precision as held_against,
            {quoted(json.dumps(facts))}::jsonb as facts
        from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment);
        create or replace view alerts.whole as
        select as_of, ''::text as account_id, entity, measured, held_against, facts from alerts.said
        """
    )
    people.evaluate()
    people.plan()
    settings_of_channels = settings.model_copy(update={"teams_webhook_url": SecretStr("https://teams.example/hook")})
    chosen = settings_of_channels if in_teams else settings
    deliver(company.warehouse, chosen, Clock(people.now), channels_for(chosen, company.warehouse, Clock(people.now)))
    found = people.run(
        """
        select notices.blocks, notices.html, captured.path, captured.channel from cs.notices
        inner join cs.actions using (notice_id) inner join cs.captured_messages as captured using (action_key)
        where notices.blocks is not null and actions.playbook = 'alerts'
        """
    )
    assert len(found) == 2
    for blocks, html, path, channel in found:
        assert channel == ("teams" if in_teams else "slack")
        page = (settings.captures / path).read_text()
        card = json.dumps(as_card(replace(SLACK, payload={"blocks": blocks})).payload, ensure_ascii=False)
        markup = "".join(re.findall(r'"text": "([^"]*)", "type": "mrkdwn"', json.dumps(blocks, ensure_ascii=False)))
        assert "<!channel>" not in markup
        assert "<https://evil" not in markup
        assert "](https://evil" not in card
        assert "<at>all" not in card
        assert "**b**" not in card
        for shown in (html, page):
            assert "<script>alert" not in shown
            assert 'href="https://evil' not in shown
            assert "&lt;script&gt;alert" in shown, "it is there, as text"
        assert "{entity}" in markup, "nothing in a value is a place of its own"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'::text"


def test_restarting_between_evaluating_and_telling_loses_and_repeats_nothing(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme")
    people = readers(company, settings, rule(**URGENT))
    people.find("acme")
    people.evaluate()  # and it dies
    people.now += timedelta(hours=1)
    for _ in range(3):
        people.plan()  # and dies after each commit
    people.evaluate(timedelta())
    for _ in range(3):
        people.deliver()
    assert people.read() == ["Urgent: Acme: acme is at 2"]


LADDER = {"type": "support", "severity": "urgent", "notify": {"to": "vp_customer_success"}}


@pytest.mark.requirement("S3-92", "S3-94", "S3-95", "S5-38", "C-37")
def test_leaders_are_told_and_after_an_hour_without_an_acknowledgement_the_ceo(
    company: Company, settings: Settings, tmp_path: Path
) -> None:
    company.account("acme", executive_email="eve@ours.example")
    (tmp_path / "alerts.yaml").write_text(
        "leaders: {vp_customer_success: vera@ours.example, ceo: carl@ours.example}\n"
        "teams:\n  legal: {channel: '#counsel'}\n"
    )
    people = readers(
        company,
        settings.model_copy(update={"config": tmp_path}),
        rule("executive", **LADDER, escalate={"after": "1 hour", "to": "ceo"}),
        rule("legal", **URGENT, notify={"to": "legal"}),
        rule("gap", **URGENT, notify={"to": "product"}),
    )
    for name in ("executive", "legal", "gap"):
        people.find("acme", rule=name)
    people.evaluate()
    asked = "select rule, kind, recipient, role from cs.alert_notifications order by notification_id"
    for after in (timedelta(), timedelta(minutes=59), timedelta(minutes=1)):
        people.now += after
        people.plan()
    assert sorted(people.run(asked)) == [
        ("executive", "escalation", "carl@ours.example", "ceo"),
        ("executive", "new", "vera@ours.example", "vp_customer_success"),
        ("gap", "new", "#product", "product"),
        ("legal", "new", "#counsel", "legal"),
    ]


@pytest.mark.requirement("C-37", "S3-92")
def test_where_no_leader_is_named_the_accounts_own_executive_is_told(company: Company, settings: Settings) -> None:
    company.account("acme", executive_email="eve@ours.example")
    people = readers(company, settings, rule(**LADDER, escalate={"after": "1 hour", "to": "ceo"}))
    people.find("acme")
    people.evaluate()
    people.plan()
    people.now += timedelta(hours=1)
    people.plan()
    assert people.run("select kind, recipient, role from cs.alert_notifications order by 1 desc") == [
        ("new", "eve@ours.example", "executive"),
        ("escalation", "max@ours.example", "manager"),
    ]
