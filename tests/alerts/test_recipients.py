"""Who is told of an alert: a role and who stands in for it, teams, leaders, and who comes next."""

from datetime import timedelta
from pathlib import Path

import pytest

from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import rule
from tests.builders.company import Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]

URGENT = {"severity": "urgent"}


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
    people = Readers(company, settings, rule(**URGENT, notify={"to": "owner", "channel": channel}))
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
    people = Readers(
        company,
        settings.model_copy(update={"config": tmp_path}),
        rule("slow", **URGENT, notify={"to": "support"}),
        rule("few", **URGENT, notify={"to": "support", "channel": "#support-agents"}),
        rule("heavy", **URGENT, notify={"to": "sales"}),
        rule("orphan", **URGENT, type="upsell", notify={"to": "owner"}),
        rule("stranger", **URGENT, type="support", notify={"to": "owner"}),
    )
    for name in ("slow", "few", "heavy"):
        people.find("acme", rule=name)
    for name in ("orphan", "stranger"):
        people.find("nobody", rule=name)
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
        ("stranger", "sam@ours.example", "support"),
    ]
    asked = "select distinct channel from cs.captured_messages where recipient = 'sam@ours.example'"
    assert people.run(asked) == [("email",)]


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
    people = Readers(
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
    people = Readers(company, settings, rule(**LADDER, escalate={"after": "1 hour", "to": "ceo"}))
    people.find("acme")
    people.evaluate()
    people.plan()
    people.now += timedelta(hours=1)
    people.plan()
    assert people.run("select kind, recipient, role from cs.alert_notifications order by 1 desc") == [
        ("new", "eve@ours.example", "executive"),
        ("escalation", "max@ours.example", "manager"),
    ]


def test_an_escalation_goes_past_who_was_told_already(company: Company, settings: Settings) -> None:
    company.account("acme", owner_email=None, executive_email="eva@ours.example")
    people = Readers(company, settings, rule(escalate={"after": "1 day", "to": "manager"}, **URGENT))
    for _ in range(3):
        people.day("acme")
    assert [recipient for recipient, _ in people.all_read()] == ["max@ours.example", "eva@ours.example"]
