"""The three levels, the save offer and the graceful exit: step by step against the sources."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import (
    PLAYBOOKS,
    Write,
    days,
    exit_reason,
    holds,
    is_for,
    is_in,
    on_day,
    starts,
    the_step,
    told,
    words,
)

ONE, TWO, THREE = (PLAYBOOKS[f"save_level_{level}"] for level in (1, 2, 3))
CANCELLATION, OFFER, EXIT = PLAYBOOKS["save_cancellation"], PLAYBOOKS["save_offer"], PLAYBOOKS["graceful_exit"]


@pytest.mark.requirement("C-11", "C-12", "S4-92", "S4-93", "S4-94")
@pytest.mark.parametrize(("playbook", "severity"), [(ONE, 1), (TWO, 2), (THREE, 3)])
def test_a_level_starts_at_its_severity_when_behaviour_led_there(playbook: Playbook, severity: int):
    for other in (0, 1, 2, 3):
        assert starts(playbook, from_severity=0, to_severity=other, cause="behaviour") == (other == severity)
        assert not starts(playbook, from_severity=0, to_severity=other, cause="calendar")


@pytest.mark.requirement("C-23")
def test_levels_one_and_three_are_for_enterprise_and_level_two_for_every_tier():
    for tier in ("starter", "pro"):
        assert [is_for(each, tier=tier, tenure_days=90) for each in (ONE, TWO, THREE)] == [False, True, False]
    assert all(is_for(each, tier="enterprise", tenure_days=90) for each in (ONE, TWO, THREE))
    assert not any(is_for(each, tier="enterprise", tenure_days=30) for each in (ONE, TWO, THREE))


@pytest.mark.requirement("C-23")
def test_what_is_more_serious_outranks_what_is_less():
    ranked = [ONE, TWO, THREE, CANCELLATION, OFFER, EXIT]
    priorities = [playbook.priority for playbook in ranked]
    assert priorities == sorted(set(priorities))
    assert {playbook.family for playbook in ranked} == {"save"}


@pytest.mark.requirement("S4-72", "S4-92")
def test_level_1_has_the_five_actions_of_the_source(write: Write):
    assert [step.step for step in ONE.steps] == [
        "personal_outreach", "success_planning", "additional_training", "best_practices", "peer_stories",
    ]  # fmt: skip
    assert told(ONE, "personal_outreach", write, "Write or call them yourself").to == "owner"
    told(ONE, "success_planning", write, "Success planning session")
    told(ONE, "additional_training", write, "A training session")
    told(ONE, "best_practices", write, "Three habits")
    told(ONE, "peer_stories", write, "stories")


@pytest.mark.requirement("S4-74", "S4-93")
def test_level_2_has_the_five_actions_of_the_source(write: Write):
    assert told(TWO, "executive_sponsor", write, "Executive sponsor").to == "executive"
    assert told(TWO, "success_plan", write, "Custom success plan").to == "owner"
    assert told(TWO, "dedicated_support", write, "Dedicated support resources").to == "manager"
    told(TWO, "roadmap_preview", write, "Product roadmap preview")
    incentive = told(TWO, "retention_incentive", write, "Incentive")
    assert (incentive.intent, incentive.needs_approval) == ("offer", True)


@pytest.mark.requirement("S4-182", "C-19")
def test_the_recovery_playbook_runs_thirty_days_and_keeps_what_is_declared():
    declared = TWO.declared
    assert declared is not None
    assert max(days(TWO)) == declared.duration_days == 30
    assert (declared.owner, declared.milestones) == ("CSM + Executive", 4)
    assert (declared.tasks, declared.automation_percent) == (52, 20)


@pytest.mark.requirement("S4-76", "S4-94", "C-37")
@pytest.mark.parametrize("playbook", [THREE, CANCELLATION], ids=["red", "cancellation"])
def test_level_3_has_the_five_actions_of_the_source(playbook: Playbook, write: Write):
    call = told(playbook, "executive_call", write, "Executive call", "decision maker")
    assert (call.day, call.to, call.priority) == (1, "executive", "urgent")
    told(playbook, "roi_review", write, "Comprehensive ROI review", "$61,300, 3.3 times the price")
    told(playbook, "competitive_analysis", write, "Competitive analysis", "What would they lose")
    for name, title in (("special_terms", "Special pricing and terms"), ("success_guarantee", "Success guarantee")):
        offer = told(playbook, name, write, title)
        assert (offer.intent, offer.needs_approval) == ("offer", True)


@pytest.mark.requirement("S5-25", "S5-29")
@pytest.mark.parametrize("playbook", [THREE, CANCELLATION], ids=["red", "cancellation"])
def test_level_3_alerts_owner_and_manager_at_once_and_ends_with_a_decision(playbook: Playbook, write: Write):
    alerts = on_day(playbook, 0)
    assert [(step.channel, step.to) for step in alerts] == [("slack", "owner"), ("slack", "manager")]
    assert all("is at risk of churning" in write(playbook, step).subject for step in alerts)
    decision = the_step(playbook, 14, "crm")
    assert decision == playbook.steps[-1]
    assert "Let go:" in words(write(playbook, decision))


def test_a_return_that_was_never_recorded_is_said_to_be_so(write: Write):
    text = words(write(THREE, THREE.step_named("roi_review"), value_delivered_365d=None, value_ratio=None))
    assert "none. Say so" in text


@pytest.mark.requirement("S4-94")
def test_a_cancellation_request_starts_the_save_mission_whatever_tier_and_score():
    assert is_in("cancellation_requested", has_cancellation_request=True)
    assert not is_in("cancellation_requested", has_cancellation_request=False)
    assert starts(CANCELLATION, segment="cancellation_requested")
    assert CANCELLATION.audience is None
    assert exit_reason(CANCELLATION, has_cancellation_request=False) == "cancellation_withdrawn"
    assert [step.template for step in CANCELLATION.steps] == [step.template for step in THREE.steps]


@pytest.mark.requirement("S3-45", "C-24")
def test_the_save_offer_is_begun_by_hand_and_has_the_five_steps_of_the_source_in_order(write: Write):
    assert OFFER.trigger.kind == "manual"
    assert [(step.day, step.step) for step in OFFER.steps] == [
        (0, "understand_why"),
        (2, "executive_escalation"),
        (4, "custom_solution"),
        (7, "save_offer"),
        (21, "graceful_exit"),
    ]
    told(OFFER, "understand_why", write, "real issue")
    told(OFFER, "custom_solution", write, "solves the real issue for them")
    told(OFFER, "graceful_exit", write, "leave the door open")


@pytest.mark.requirement("S3-45", "C-27")
def test_leadership_comes_if_needed_the_offer_if_approved_and_the_exit_if_lost():
    leadership, offer, farewell = (
        OFFER.step_named(name) for name in ("executive_escalation", "save_offer", "graceful_exit")
    )
    assert leadership.to == "executive"
    assert holds(OFFER, leadership.condition, is_high_value=True, severity=1)
    assert holds(OFFER, leadership.condition, is_high_value=False, severity=2)
    assert not holds(OFFER, leadership.condition, is_high_value=False, severity=1)
    assert (offer.intent, offer.needs_approval) == ("offer", True)
    assert holds(OFFER, farewell.condition, severity=3)
    assert not holds(OFFER, farewell.condition, severity=0)


@pytest.mark.requirement("S3-46", "C-27")
@pytest.mark.parametrize("playbook", [ONE, TWO, THREE, CANCELLATION, OFFER], ids=lambda each: each.playbook)
def test_a_bad_fit_ends_every_save_play(playbook: Playbook):
    assert exit_reason(playbook, is_bad_fit=True, severity=3, has_cancellation_request=True) == "graceful_exit"


@pytest.mark.requirement("S3-45", "S3-46", "C-27")
def test_a_bad_fit_is_helped_to_leave_well_and_offered_nothing(write: Write):
    assert is_in("bad_fit", is_bad_fit=True)
    assert not is_in("bad_fit", is_bad_fit=False)
    assert starts(EXIT, segment="bad_fit")
    assert exit_reason(EXIT, is_bad_fit=True) is None
    assert {step.intent for step in EXIT.steps} == {"inform"}
    told(EXIT, "honest_talk", write, "Say plainly where the product does not fit them")
    told(EXIT, "keep_in_touch", write, "an open door")


@pytest.mark.requirement("C-27")
def test_no_customer_is_told_how_to_leave_before_a_person_agreed(write: Write):
    mail = told(EXIT, "help_to_leave", write, "Export your data", "there is nothing to do")
    assert mail.needs_approval
