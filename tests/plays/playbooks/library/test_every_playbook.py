"""What holds for every shipped playbook, whatever it is for."""

import re
from pathlib import Path

import pytest

from cs_pipeline.channels.fallback import AS_EMAIL
from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES, Playbook, Step, Trigger
from cs_pipeline.plays.triggers.dispatch import check_named_causes
from tests.plays.playbooks.library.reading import PLAYBOOKS, SHIPPED, Write, is_for, starts, words


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_every_shipped_playbook_can_be_rendered_before_anybody_is_enrolled(playbook: Playbook, renderer: Renderer):
    renderer.check(playbook)


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_a_playbook_names_the_requirements_it_is_made_of(playbook: Playbook):
    text = (Path(__file__).parents[4] / "docs" / "requirements.md").read_text()
    known = set(re.findall(r"^([SC]\d?-\d+) \|", text, flags=re.MULTILINE))
    assert playbook.requirements
    assert set(playbook.requirements) <= known


@pytest.mark.requirement("C-27")
@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_whatever_offers_something_needs_approval(playbook: Playbook):
    assert all(step.needs_approval for step in playbook.steps if step.intent == "offer")


@pytest.mark.requirement("C-27")
@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_whatever_speaks_of_a_discount_is_an_offer(playbook: Playbook, write: Write):
    # "No discount, no last argument" and an incentive agreed on before are what two tasks say against one.
    sells = re.compile(r"special pricing|special terms|% off|discount|incentive|free trial|guarantee", re.IGNORECASE)
    about = {step.step for step in playbook.steps if sells.search(write(playbook, step).subject)}
    assert about <= {step.step for step in playbook.steps if step.intent == "offer"}


def test_what_a_trigger_names_exists_and_a_name_that_does_not_is_told():
    check_named_causes(PLAYBOOKS, None)
    trigger = Trigger(kind="segment_entry", when="segment in ('seats_full', 'seats_ful')")
    wrong = PLAYBOOKS["expansion_seats"].model_copy(update={"trigger": trigger})
    with pytest.raises(UserError, match=r"expansion_seats: trigger.when: there is no segment 'seats_ful'; there are: "):
        check_named_causes({"expansion_seats": wrong}, None)


@pytest.mark.requirement("S4-184")
def test_one_playbook_makes_mails_with_figures_tasks_and_alerts_each_in_its_place(write: Write):
    playbook = PLAYBOOKS["onboarding_enterprise"]
    assert {write(playbook, step).channel for step in playbook.steps} == {"email", "crm", "slack"}
    assert "11 people active this week" in words(write(playbook, playbook.step_named("first_week")))
    assert [step.day for step in playbook.steps] == sorted(step.day for step in playbook.steps)


@pytest.mark.requirement("S4-185", "S4-186")
@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_every_mail_has_template_role_day_and_words_for_its_reader_and_every_task_title_role_day_and_priority(
    playbook: Playbook, write: Write
):
    for step in playbook.steps:
        message = write(playbook, step)
        assert step.template
        assert step.to in (*CUSTOMER_ROLES, "owner", "manager", "executive", "legal", "sales")
        assert message.subject
        if step.channel == "email":
            assert "Hi Ada," in message.body_text
        if step.channel == "crm":
            assert message.payload["priority"] == step.priority
            assert "Nordwind Logistik" in message.subject


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_a_checklist_stands_in_the_task_point_by_point(playbook: Playbook, write: Write):
    for step in playbook.steps:
        lines = write(playbook, step).body_text.splitlines()
        assert [point for point in step.checklist if f"- {point}" not in lines] == []


@pytest.mark.requirement("C-23")
def test_every_save_motion_is_in_the_family_save_and_one_score_change_starts_one_of_them():
    motions = [playbook for playbook in SHIPPED if playbook.family == "save"]
    assert {"yellow_adoption", "red_save", "save_offer", "graceful_exit"} < {each.playbook for each in motions}
    assert {each.playbook for each in motions} >= {f"save_level_{level}" for level in (1, 2, 3)}
    for tier in ("starter", "pro", "enterprise"):
        for severity in (1, 2, 3):
            fell = {"from_severity": 0, "to_severity": severity, "cause": "behaviour"}
            found = [
                each.playbook
                for each in motions
                if each.trigger.kind == "score_change"
                and starts(each, **fell)
                and is_for(each, tenure_days=90, tier=tier)
            ]
            assert len(found) == 1, (tier, severity, found)


def test_every_day_is_a_calendar_day_as_the_source_counts_them():
    assert {step.days for playbook in SHIPPED for step in playbook.steps} == {"calendar"}


def _mails() -> list[tuple[Playbook, Step]]:
    return [(playbook, step) for playbook in SHIPPED for step in playbook.steps if step.to in CUSTOMER_ROLES]


@pytest.mark.parametrize(("playbook", "step"), _mails(), ids=lambda each: getattr(each, "step", ""))
def test_no_mail_tells_a_customer_about_scores_bands_or_plays(playbook: Playbook, step: Step, write: Write):
    message = write(playbook, step, score=47.5, band="yellow")
    told = f"{words(message)} {message.body_html} {message.payload['unsubscribe_url']}".casefold()
    for secret in ("47.5", "yellow", "severity", "health", "churn", "at risk", playbook.playbook):
        assert secret not in told


@pytest.mark.parametrize(("playbook", "step"), _mails(), ids=lambda each: getattr(each, "step", ""))
def test_every_mail_has_preview_unsubscribe_link_address_and_both_parts(playbook: Playbook, step: Step, write: Write):
    message = write(playbook, step)
    link = str(message.payload["unsubscribe_url"])
    assert message.payload["preview"]
    text = str(message.payload.get(AS_EMAIL, message.body_text))  # of a text message: what it is as a mail
    for part in (message.body_html or "", text):
        assert link.replace("&", "&amp;") in part or link in part
        assert "1 Example Street, Example City" in part
        assert "Fernweh" in part
    assert not re.search(r"""src=["']?http|@import|fonts\.googleapis|<script""", message.body_html or "")


def _to_us() -> list[tuple[Playbook, Step]]:
    return [(playbook, step) for playbook in SHIPPED for step in playbook.steps if step.to not in CUSTOMER_ROLES]


@pytest.mark.parametrize(("playbook", "step"), _to_us(), ids=lambda each: getattr(each, "step", ""))
def test_every_message_to_us_ends_with_play_score_and_a_link(playbook: Playbook, step: Step, write: Write):
    why = words(write(playbook, step)).partition("Why: ")[2]
    assert why.startswith(f"play {playbook.title}, day ")
    assert "account sample" in why
    assert "47.5 (yellow)" in why
    assert "http://127.0.0.1:3000/" in why
