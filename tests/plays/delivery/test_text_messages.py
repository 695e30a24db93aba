"""Text messages: how a step becomes one, what holds them back, and the e-mail that they are where no webhook is set."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.jobs.plays import deliver_due_actions
from cs_pipeline.orchestration.keys import ACTIONS
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.samples import SampleAction
from cs_pipeline.plays.playbooks.reading import read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.preview import preview
from cs_pipeline.reports.plays.page import preview_page
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.company import MONDAY, Company, save_play
from tests.channels.test_sendgrid import ACCEPTED
from tests.channels.test_slack import Workspace
from tests.fakes.provider import Answer, Provider, provider
from tests.fakes.sendgrid_api import SendGridApi

ADA = "ada@acme.example"
TEXT = """---
subject: A hundred projects
---
Congratulations{% if contact_first_name is not none %}, {{ contact_first_name }}{% endif %}: {{ account_name }} has just
finished its 100th project.
"""
SMS = {
    "step": "congratulate",
    "day": 0,
    "channel": "sms",
    "to": "point_of_contact",
    "template": "milestone",
    "intent": "inform",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write(tmp_path / "config", "sms", TEXT)
    return tmp_path / "config"


def write(config: Path, channel: str, text: str) -> None:
    path = config / "templates" / channel / "milestone.txt.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def milestone(*steps: dict) -> Playbook:
    """For each account of which the milestone rule has told."""
    trigger = {"kind": "alert", "when": "rule == 'milestone'"}
    return save_play(playbook="milestone", family="milestone", trigger=trigger, exit=[], steps=list(steps or [SMS]))


def connected(tmp_path: Path, sendgrid: Provider, slack: Provider, **changes: object) -> Settings:
    return Settings(
        **{
            "home": tmp_path / "home",
            "config": tmp_path / "config",
            "delivery": "live",
            "sendgrid_api_key": SecretStr("SG.key"),
            "sendgrid_host": sendgrid.url,
            "slack_bot_token": SecretStr("xoxb-token"),
            "slack_base_url": f"{slack.url}/api/",
            "webhook_secret": SecretStr("whsec"),
        }
        | changes  # type: ignore[arg-type]
    )


def taken(company: Company, settings: Settings, clock: Clock, play: Playbook, accounts: list[str]) -> DeliverySummary:
    """Enrol the accounts for which the rule fired, and take what is due."""
    triggers = [company.trigger("alert", account, rule="milestone") for account in accounts]
    enrol(company.warehouse, play, triggers, settings, MONDAY)
    channels = channels_for(settings, company.warehouse, clock)
    return deliver_due(company.warehouse, channels, Renderer(settings), settings, clock)


@pytest.mark.requirement("S1-14", "C-29")
def test_each_customer_that_reached_a_milestone_gets_one_congratulating_text(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    accounts = [company.account(name) for name in ("acme", "beta")]
    with provider(ACCEPTED) as sendgrid, provider(Workspace()) as slack, provider(Answer(200)) as receiver:
        settings = connected(tmp_path, sendgrid, slack, webhook_url=SecretStr(receiver.url))
        taken(company, settings, clock, milestone(), accounts)
        taken(company, settings, clock, milestone(), [])
        assert sendgrid.requests == slack.requests == []
    posted = {request.json["recipient"]: request.json["text"] for request in receiver.requests}
    assert len(receiver.requests) == 2
    assert posted == {
        ADA: "Congratulations, Ada: Acme has just finished its 100th project.",
        "ada@beta.example": "Congratulations, Ada: Beta has just finished its 100th project.",
    }
    assert company.run("select status, delivery, detail from cs.actions") == [("sent", "live", None)] * 2


@pytest.mark.requirement("C-29")
def test_without_a_webhook_the_text_is_an_e_mail_and_the_outbox_says_so(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    api = SendGridApi("SG.key")
    with provider(api) as sendgrid, provider(Workspace()) as slack:
        taken(company, connected(tmp_path, sendgrid, slack), clock, milestone(), [company.account("acme")])
    assert api.refused == []
    (mail,) = api.inbox
    assert (mail.address, mail.subject) == (ADA, "A hundred projects")
    for part in (mail.text, mail.html or ""):
        assert "Congratulations, Ada: Acme has just finished its 100th project." in " ".join(part.split())
        assert "Unsubscribe" in part
    assert company.run("select channel, status, detail from cs.actions") == [
        ("sms", "sent", "by e-mail: no webhook is set for sms")
    ]


@pytest.mark.requirement("S1-03")
def test_a_slack_message_an_html_mail_and_a_text_go_out_in_one_play(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    alert = {**SMS, "step": "tell", "channel": "slack", "to": "team", "template": "onboarding_new_customer"}
    mail = {**SMS, "step": "write", "channel": "email", "template": "onboarding_welcome"}
    account = company.account("acme", slack_channel="#customer-success")
    api = SendGridApi("SG.key")
    with provider(api) as sendgrid, provider(Workspace()) as slack, provider(Answer(200)) as receiver:
        settings = connected(tmp_path, sendgrid, slack, webhook_url=SecretStr(receiver.url))
        taken(company, settings, clock, milestone(alert, mail, SMS), [account])
    assert company.run("select channel, status from cs.actions order by 1") == [
        ("email", "sent"),
        ("slack", "sent"),
        ("sms", "sent"),
    ]
    (posted,) = [request for request in slack.requests if "postMessage" in request.path]
    assert posted.fields["channel"] == "#customer-success"
    assert "<html" in (api.inbox[0].html or "")
    assert receiver.requests[0].json["channel"] == "sms"


def test_hours_caps_and_lists_of_those_who_want_no_mail_hold_for_texts(
    company: Company, config: Path, tmp_path: Path
) -> None:
    company.account("acme")
    company.account("beta")
    company.run("update marts.dim_contacts set unsubscribed_at = %s where account_id = 'beta'", MONDAY)
    with provider(ACCEPTED) as sendgrid, provider(Workspace()) as slack, provider(Answer(200)) as receiver:
        settings = connected(
            tmp_path, sendgrid, slack, webhook_url=SecretStr(receiver.url), mails_per_person=1, mail_until_hour=18
        )
        night = Clock(MONDAY + timedelta(hours=9))
        play = milestone(SMS, {**SMS, "step": "again", "day": 2})
        taken(company, settings, night, play, ["acme", "beta"])
        assert receiver.requests == []
        for day in (1, 2, 3):
            taken(company, settings, Clock(MONDAY + timedelta(days=day)), play, [])
            assert len(receiver.requests) == 1
    assert company.run("select account_id, status, reason from cs.actions order by 1, 2, 3") == [
        ("acme", "planned", "frequency_cap"),
        ("acme", "sent", None),
        ("beta", "suppressed", "unsubscribed"),
        ("beta", "suppressed", "unsubscribed"),
    ]


def test_captured_texts_look_like_texts_and_those_that_would_be_e_mails_like_e_mails(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    write(config, "webhook", TEXT.replace("Congratulations", "In the app"))
    steps = (SMS, {**SMS, "step": "in_app", "channel": "webhook"})
    pages = {}
    for name, url in (("with", SecretStr("https://hooks.example.com/cs")), ("without", None)):
        settings = Settings(home=tmp_path / name, config=config, webhook_url=url)
        account = company.account(name)
        taken(company, settings, clock, milestone(*steps), [account])
        pages[name] = [page.read_text() for page in sorted(settings.captures.rglob(f"*-{name}-*.html"))]
    assert all("bubble" in page and "characters" in page for page in pages["with"])
    assert "In the app, Ada: With has just finished" in pages["with"][1]
    assert all("no webhook is set" in page and "Unsubscribe" in page for page in pages["without"])
    channels = company.run("select channel, count(*) from cs.captured_messages group by 1 order by 1")
    assert channels == [("email", 2), ("sms", 1), ("webhook", 1)]


def test_customer_text_is_text_in_the_e_mail_and_as_it_is_in_the_message(config: Path) -> None:
    play = milestone()
    action = SampleAction("milestone", "milestone", "milestone/congratulate/acme", "acme", ADA)
    facts = {"account_name": "<b>Acme</b>", "recipient_name": "Ada Lovelace"}
    message = Renderer(Settings(config=config)).render(play, play.steps[0], facts, action)
    assert message.body_text == "Congratulations, Ada: <b>Acme</b> has just finished its 100th project."
    assert "&lt;b&gt;Acme&lt;/b&gt; has just" in (message.body_html or "")
    assert "<b>Acme</b>" not in (message.body_html or "")


def test_a_text_is_no_longer_than_carriers_put_together(config: Path) -> None:
    write(config, "sms", TEXT + "x" * 3_000)
    play = milestone()
    action = SampleAction("milestone", "milestone", "milestone/congratulate/acme", "acme", ADA)
    message = Renderer(Settings(config=config)).render(play, play.steps[0], {"account_name": "Acme"}, action)
    assert len(message.body_text) == 1_600
    assert message.body_text.endswith("x…")


def test_an_unknown_name_in_a_text_is_an_error_before_anything_is_sent(config: Path) -> None:
    write(config, "sms", TEXT.replace("account_name", "acount_name"))
    with pytest.raises(UserError, match=r"milestone\.txt\.j2:4: 'acount_name' is not known here"):
        Renderer(Settings(config=config)).check(milestone())


@pytest.mark.parametrize("channel", ["sms", "webhook"])
def test_a_text_to_a_team_is_refused_with_its_place(tmp_path: Path, channel: str) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(
        "playbook: team\ntitle: T\ndescription: T\nfamily: t\npriority: 1\ntrigger: {kind: manual}\nsteps:\n"
        f"  - {{step: s, day: 0, channel: {channel}, to: team, template: t, intent: inform}}\n"
    )
    with pytest.raises(InvalidFile, match="expected a person: the team is reached in Slack"):
        read_playbook(path)


def test_a_preview_shows_a_text_as_it_would_travel(company: Company, config: Path, tmp_path: Path) -> None:
    company.account("acme")
    channels = {}
    for url in (None, SecretStr("https://hooks.example.com/cs")):
        settings = Settings(home=tmp_path, config=config, webhook_url=url)
        with company.warehouse.session() as session:
            shown = preview(session, milestone(), "acme", Renderer(settings), AsOf(settings, MONDAY))
        (step,) = shown.steps
        assert step.message is not None
        channels[url is not None] = step.message.channel
        assert ("bubble" in preview_page(shown, settings)) == (url is not None)
    assert channels == {True: "sms", False: "email"}


@pytest.mark.requirement("C-29")
def test_runs_take_texts_with_the_mails(company: Company, config: Path, tmp_path: Path, clock: Clock) -> None:
    settings = Settings(home=tmp_path / "home", config=config, webhook_url=SecretStr("https://hooks.example.com/cs"))
    trigger = company.trigger("alert", company.account("acme"), rule="milestone")
    enrol(company.warehouse, milestone(), [trigger], settings, MONDAY)
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    result = deliver_due_actions.execute_in_process(resources=resources)
    assert company.run("select channel, status, delivery from cs.actions") == [("sms", "sent", "capture")]
    taken = [event for event in result.get_asset_materialization_events() if event.asset_key == ACTIONS]
    assert [event.materialization.metadata["outcomes"].value for event in taken] == [{"captured": 1}]
