"""Answers come back to the step that asked, and go to whom they concern."""

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.feedback.conftest import say

PLAYBOOKS = load_playbooks(None)
QUESTIONS = ("reaching your goals", "working well", "frustrating", "build next", "recommend us? Why, or why not?")


def write_out(company: Company, settings: Settings, clock: Clock) -> None:
    """Deliver what is due, in the words of the shipped templates."""
    channels = channels_for(settings, company.warehouse, clock)
    deliver_due(company.warehouse, channels, Renderer(settings), settings, clock, limit=100)


def test_the_library_asks_at_the_times_of_the_source() -> None:
    onboarding, quarterly = PLAYBOOKS["survey_onboarding"], PLAYBOOKS["survey_quarterly"]
    assert [(step.day, step.template) for step in onboarding.steps] == [(35, "survey_five_questions")]
    assert set(quarterly.named_causes or ()) == {"survey"}


@pytest.mark.requirement("S3-47", "S3-48", "S3-50", "S3-51", "S3-52")
def test_an_answer_leads_back_to_the_step_that_asked_and_is_handed_on(
    talking: Company, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = PLAYBOOKS["survey_quarterly"]
    asked = _asking(play)
    enrol(talking.warehouse, asked, [talking.trigger("cadence", "pro", cadence="survey")], settings, MONDAY)
    write_out(talking, settings, clock)
    ((html, text),) = talking.run("select body_html, body_text from cs.captured_messages where channel = 'email'")
    assert [question for question in QUESTIONS if question not in " ".join(text.split())] == []
    (reference,) = set(re.findall(r"/feedback\?asked_by=([0-9a-f]{32})", html))
    later = MONDAY - timedelta(minutes=5)
    say(talking, "roadmap", "Folders", kind="other", question="roadmap", asked_by=reference, said_at=later)
    say(talking, "pain", "The exports", kind="other", question="pain_point", asked_by=reference, said_at=later)
    say(talking, "joy", "The people", kind="other", question="strength", asked_by=reference, said_at=later)
    say(talking, "left", "It was too dear for us: the price", said_in="survey", asked_by="unknown", said_at=later)
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", talking.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    CliRunner().invoke(app, ["feedback", "route"], catch_exceptions=False)
    found = json.loads(CliRunner().invoke(app, ["feedback", "list", "--json"]).output)
    assert {row["item"]: (row["asked_by"], row["to"]) for row in found} == {
        "feedback:roadmap": ("survey_quarterly/five_questions", ["product"]),
        "feedback:pain": ("survey_quarterly/five_questions", ["product"]),
        "feedback:joy": ("survey_quarterly/five_questions", ["owner"]),
        "survey:left": (None, ["sales", "finance"]),
    }


def _asking(play: Playbook) -> Playbook:
    """As a team would have it, and for accounts whose facts this test does not fill."""
    return play.model_copy(update={"switched_on": True, "audience": None})


@pytest.mark.requirement("S3-51", "S3-52")
def test_the_exit_interview_is_a_task_with_the_questions_and_the_reference_of_its_answers(
    talking: Company, settings: Settings, clock: Clock
) -> None:
    play = PLAYBOOKS["winback"]
    assert "S3-51" in play.requirements
    only = play.model_copy(update={"steps": tuple(step for step in play.steps if step.step == "document_issues")})
    talking.account("gone", churned_at=MONDAY - timedelta(days=1))
    enrol(talking.warehouse, only, [talking.trigger("lifecycle", "gone", anchor="churn")], settings, MONDAY)
    write_out(talking, settings, clock)
    ((key, body),) = talking.run("select external_id, body from cs.crm_tasks")
    ((reference,),) = talking.run("select md5(action_key) from cs.actions where step = 'document_issues'")
    assert key
    for said in ("(outcome)", "(strength)", "(pain_point)", "(roadmap)", "(recommendation)", f"asked_by {reference}"):
        assert said in body
