"""Advocacy tiers and references: step by step against the source."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import PLAYBOOKS, Write, holds, is_for, is_in, starts, told

BRONZE, SILVER, GOLD = (PLAYBOOKS[f"advocacy_{tier}"] for tier in ("bronze", "silver", "gold"))
REFERENCE = PLAYBOOKS["reference"]
EVERY = [BRONZE, SILVER, GOLD, REFERENCE]
READY = {"score": 80, "open_critical_tickets": 0, "has_open_save_play": False}
FORBIDDING = [
    {"score": 79.9},
    {"score": None},
    {"open_critical_tickets": 1},
    {"has_open_save_play": True},
]


@pytest.mark.requirement("S4-133", "C-28")
@pytest.mark.parametrize("playbook", EVERY, ids=lambda each: each.playbook)
@pytest.mark.parametrize("against", FORBIDDING)
def test_nobody_enters_who_is_not_well(playbook: Playbook, against: dict[str, object]):
    assert is_for(playbook, **READY)
    assert not is_for(playbook, **READY | against)


@pytest.mark.requirement("S3-29", "C-28")
@pytest.mark.parametrize("playbook", EVERY, ids=lambda each: each.playbook)
@pytest.mark.parametrize("against", FORBIDDING)
def test_nobody_is_asked_who_is_no_longer_well(playbook: Playbook, against: dict[str, object]):
    asks = [step for step in playbook.steps if step.intent == "ask"]
    assert asks
    for step in asks:
        assert holds(playbook, step.condition, **READY)
        assert not holds(playbook, step.condition, **READY | against)


@pytest.mark.parametrize(
    ("segment", "playbook", "enough", "too_little"),
    [
        pytest.param("bronze_advocates", BRONZE, {"nps_response": 8, "tenure_days": 183},
            [{"nps_response": 7}, {"tenure_days": 182}], marks=pytest.mark.requirement("S4-127", "C-28")),
        pytest.param("silver_advocates", SILVER, {"nps_response": 9, "tenure_days": 365, "referrals": 1},
            [{"nps_response": 8}, {"tenure_days": 364}, {"referrals": 0}],
            marks=pytest.mark.requirement("S4-129", "C-28")),
        pytest.param("gold_advocates", GOLD, {"nps_response": 10, "tenure_days": 730, "referrals": 2},
            [{"nps_response": 9}, {"tenure_days": 729}, {"referrals": 1}],
            marks=pytest.mark.requirement("S4-131", "C-28")),
        pytest.param("reference_candidates", REFERENCE, {"nps_response": 9, "value_ratio": 1.1},
            [{"nps_response": 8}, {"value_ratio": 1.0}], marks=pytest.mark.requirement("S4-133", "C-28")),
    ],
)  # fmt: skip
def test_a_tier_has_the_criteria_of_the_source(
    segment: str, playbook: Playbook, enough: dict[str, object], too_little: list[dict[str, object]]
):
    assert starts(playbook, segment=segment)
    assert is_in(segment, **READY | enough)
    for against in [*too_little, *FORBIDDING]:
        assert not is_in(segment, **READY | enough | against)


@pytest.mark.requirement("S4-129", "S4-131")
def test_a_customer_is_in_one_tier_at_a_time_the_highest():
    assert GOLD.priority > SILVER.priority > BRONZE.priority > REFERENCE.priority
    assert {playbook.family for playbook in EVERY} == {"advocacy"}


@pytest.mark.requirement("S4-128")
def test_bronze_gives_before_it_asks(write: Write):
    benefits = ("Early-access features", "Exclusive webinars", "Community recognition", "Swag package")
    told(BRONZE, "benefits", write, *benefits)
    told(BRONZE, "review_and_survey", write, "Write a review", "survey")
    told(BRONZE, "case_study", write, "Case-study participation")
    first_ask = min(step.day for step in BRONZE.steps if step.intent == "ask")
    assert max(step.day for step in BRONZE.steps if step.intent == "inform") < first_ask


@pytest.mark.requirement("S3-23")
def test_expansion_of_a_healthy_account_includes_referrals_and_case_studies(write: Write):
    told(BRONZE, "case_study", write, "Referral", "success story")


@pytest.mark.requirement("S4-130")
def test_silver_has_the_benefits_and_activities_of_the_source(write: Write):
    told(SILVER, "benefits", write, "Advisory-board membership", "Conference tickets", "Premium support")
    told(
        SILVER,
        "activities",
        write,
        "Reference calls",
        "Speaking opportunities",
        "Content collaboration",
        "Peer mentoring",
    )
    pricing = told(SILVER, "special_pricing", write, "Special pricing")
    assert (pricing.intent, pricing.needs_approval) == ("offer", True)


@pytest.mark.requirement("S4-132")
def test_gold_has_the_benefits_and_activities_of_the_source(write: Write):
    assert told(GOLD, "welcome", write, "Executive access").to == "executive"
    told(GOLD, "benefits", write, "Product influence", "Co-marketing opportunities")
    told(
        GOLD, "activities", write, "Keynote speaking", "Joint press release", "Product-development input",
        "Brand ambassadorship",
    )  # fmt: skip
    sharing = told(GOLD, "revenue_sharing", write, "Revenue sharing")
    assert (sharing.intent, sharing.needs_approval) == ("offer", True)


@pytest.mark.requirement("S4-134")
def test_a_reference_is_prepared_agreed_and_approved_before_it_is_requested(write: Write):
    told(REFERENCE, "prepare", write, "Success documentation", "Talk-track development", "similar industry and size")
    incentive = told(REFERENCE, "incentive", write, "Incentive agreement")
    assert (incentive.intent, incentive.needs_approval) == ("offer", True)
    request = REFERENCE.step_named("request")
    assert request.needs_approval
    assert REFERENCE.step_named("prepare").day < incentive.day < request.day


@pytest.mark.requirement("S4-135")
def test_a_reference_is_requested_briefed_introduced_and_thanked(write: Write):
    assert told(REFERENCE, "request", write, "Ask Nordwind Logistik for a reference").intent == "ask"
    told(REFERENCE, "facilitate", write, "Brief preparation", "Call facilitation")
    told(REFERENCE, "thanks", write, "Follow-up thanks")


@pytest.mark.requirement("S4-136")
def test_a_reference_is_recognised(write: Write):
    parts = ("Public thanks", "Success celebration", "Reward delivery", "Relationship nurture")
    assert told(REFERENCE, "thanks", write, *parts) == REFERENCE.steps[-1]


@pytest.mark.requirement("S4-183", "C-19")
def test_what_the_source_declares_of_advocacy_is_kept():
    declared = BRONZE.declared
    assert declared is not None
    assert (declared.duration_days, declared.owner, declared.milestones) == (None, "Marketing + CSM", None)
    assert (declared.tasks, declared.automation_percent) == (31, 70)
