"""Steps of `channel: teams`: a card in the team's channel of Teams, captured as its readers would see it."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.company import MONDAY, Company, save_play
from tests.fakes.provider import Answer, provider

ALERT = """text: "{{ account_name }} needs you"
body:
  - {type: TextBlock, size: Large, weight: Bolder, text: "{{ account_name }} needs you"}
  - {type: TextBlock, text: "**Goal:** {% if sales_goal is not none %}{{ sales_goal }}{% endif %}"}
  - type: FactSet
    facts:
      - {title: Seats, value: "{% if seats is not none %}{{ seats }}{% endif %}"}
      - {title: NPS, value: "{% if nps_response is not none %}{{ nps_response }}{% endif %}"}
  - type: ActionSet
    actions: [{type: Action.OpenUrl, title: Open the scores, url: "{{ account_url }}"}]
"""
STEP = {"step": "tell", "day": 0, "channel": "teams", "to": "owner", "template": "alert", "intent": "inform"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "templates" / "teams" / "alert.yaml.j2"
    path.parent.mkdir(parents=True)
    path.write_text(ALERT, encoding="utf-8")
    return tmp_path / "config"


def alert(**changes: object) -> Playbook:
    trigger = {"kind": "alert", "when": "rule == 'milestone'"}
    return save_play(playbook="milestone", family="milestone", trigger=trigger, exit=[], steps=[STEP | changes])


def taken(company: Company, settings: Settings, clock: Clock, play: Playbook) -> DeliverySummary:
    trigger = company.trigger("alert", company.account("acme"), rule="milestone")
    enrol(company.warehouse, play, [trigger], settings, MONDAY)
    channels = channels_for(settings, company.warehouse, clock)
    return deliver_due(company.warehouse, channels, Renderer(settings), settings, clock)


def live(tmp_path: Path, **changes: object) -> Settings:
    given = {
        "home": tmp_path / "home",
        "config": tmp_path / "config",
        "delivery": "live",
        "sendgrid_api_key": SecretStr("SG.key"),
        "slack_bot_token": SecretStr("xoxb"),
    }
    return Settings(**(given | changes))  # type: ignore[arg-type]


def test_a_step_is_posted_as_a_card_with_what_is_known_and_why(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    with provider(Answer(202)) as teams:
        taken(company, live(tmp_path, teams_webhook_url=SecretStr(teams.url + "/hook")), clock, alert())
    (request,) = teams.requests
    to, heading, *rest = request.json["attachments"][0]["content"]["body"]
    assert to["text"] == "<at>olga@ours.example</at>"
    assert heading["text"] == "Acme needs you"
    assert any("**Why:** play" in str(element.get("text")) for element in rest)
    assert company.run("select channel, recipient, status, delivery from cs.actions") == [
        ("teams", "olga@ours.example", "sent", "live")
    ]


def test_while_no_address_is_set_its_actions_wait_and_operations_hear_why(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    summary = taken(company, live(tmp_path), clock, alert())
    assert summary.paused == {"teams": "CS_PIPELINE_TEAMS_WEBHOOK_URL is not set"}
    assert company.run("select channel, status, reason from cs.actions where notice_id is null") == [
        ("teams", "planned", "channel_paused")
    ]
    ((told,),) = company.run("select body from cs.notices")
    assert "CS_PIPELINE_TEAMS_WEBHOOK_URL is not set" in told


def test_what_was_not_answered_is_uncertain_and_never_posted_again(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    with provider(Answer(breaks_off=True)) as teams:
        settings = live(tmp_path, teams_webhook_url=SecretStr(teams.url + "/hook"))
        taken(company, settings, clock, alert())
        for _ in range(3):
            channels = channels_for(settings, company.warehouse, clock)
            deliver_due(company.warehouse, channels, Renderer(settings), settings, clock)
        posted = [request for request in teams.requests if "Acme needs you" in request.body.decode()]
    assert len(posted) == 1
    assert company.run("select status from cs.actions where notice_id is null") == [("uncertain",)]


def test_a_captured_card_is_drawn_as_its_reader_would_see_it(
    company: Company, config: Path, tmp_path: Path, clock: Clock
) -> None:
    settings = Settings(home=tmp_path / "home", config=config)
    taken(company, settings, clock, alert(to="team"))
    ((path,),) = company.run("select path from cs.captured_messages where channel = 'teams'")
    page = (settings.captures / path).read_text(encoding="utf-8")
    assert "Acme needs you</p>" in page
    assert "For #" in page
    assert "Open the scores</a>" in page
    assert "<strong>Why:</strong>" in page


def test_a_step_to_a_customer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "milestone.yaml"
    path.write_text(alert().model_dump_json().replace('"to":"owner"', '"to":"champion"'), encoding="utf-8")
    with pytest.raises(InvalidFile, match="expected a role of ours: teams does not reach customers"):
        read_playbook(path)


def test_without_a_person_it_is_for_the_team(company: Company, config: Path, tmp_path: Path, clock: Clock) -> None:
    taken(company, Settings(home=tmp_path / "home", config=config), clock, alert(to="team"))
    ((recipient,),) = company.run("select recipient from cs.actions")
    assert str(recipient).startswith("#")
