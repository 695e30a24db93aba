"""Adoption: ninety days, step by step against the sources."""

import pytest

from tests.plays.playbooks.library.reading import PLAYBOOKS, Write, days, exit_reason, holds, is_in, starts, told, words

ADOPTION = PLAYBOOKS["adoption_journey"]


@pytest.mark.requirement("C-17", "C-18", "S3-21")
def test_adoption_starts_with_the_stage_and_then_counts_its_own_ninety_days():
    assert is_in("adoption_stage", lifecycle_stage="adoption")
    assert not is_in("adoption_stage", lifecycle_stage="onboarding")
    assert starts(ADOPTION, segment="adoption_stage")
    assert 80 < max(days(ADOPTION)) <= 90


@pytest.mark.requirement("S4-45")
def test_discovery_is_usage_gaps_needs_and_opportunities(write: Write):
    parts = ("Usage analysis", "Feature-gaps identification", "Customer-needs assessment", "Opportunity mapping")
    discovery = told(ADOPTION, "discovery", write, *parts)
    assert (discovery.day, discovery.to, len(discovery.checklist)) == (1, "owner", 4)


@pytest.mark.requirement("S4-46", "S3-21")
def test_education_is_training_use_cases_best_practice_and_a_peers_story(write: Write):
    guide, cases, story = (ADOPTION.step_named(name) for name in ("feature_guide", "use_cases", "peer_story"))
    assert [step.intent for step in (guide, cases, story)] == ["educate"] * 3
    assert "Start with automation builder" in words(write(ADOPTION, guide))
    told(ADOPTION, "use_cases", write, "Three ways other teams use it", "Good practice")
    told(ADOPTION, "peer_story", write, "stories of customers")


@pytest.mark.requirement("S4-46")
def test_the_guide_is_about_the_core_feature_that_they_do_not_use(write: Write):
    guide = ADOPTION.step_named("feature_guide")
    assert write(ADOPTION, guide, top_unused_core_feature="ab_tests").subject == "Next for Nordwind Logistik: ab tests"
    assert write(ADOPTION, guide, top_unused_core_feature=None).subject == "Getting more out of what you have"


@pytest.mark.requirement("S4-47", "S3-21")
def test_enablement_is_workshop_templates_configuration_documentation_and_integrations(write: Write):
    parts = ("Hands-on workshop", "Template provision", "Configuration assistance", "Documentation access")
    told(ADOPTION, "workshop", write, *parts)
    told(ADOPTION, "integrations", write, "Connect one more system", "Start from a template")


@pytest.mark.requirement("S4-48")
def test_reinforcement_is_progress_celebration_support_and_techniques(write: Write):
    parts = ("Progress tracking", "Success celebration", "Continued support", "Advanced techniques")
    told(ADOPTION, "reinforcement", write, *parts)
    told(ADOPTION, "progress", write, "17 people active in 30 days", "2 core features in use", "$61,300 value")


def test_progress_boasts_of_nothing_where_there_is_none(write: Write):
    nothing = dict.fromkeys(["active_users_30d", "core_features_used", "value_delivered_365d"], 0)
    text = words(write(ADOPTION, ADOPTION.step_named("progress"), **nothing))
    assert "little to show you" in text
    assert "stands today" not in text


@pytest.mark.requirement("S4-14")
def test_a_success_story_is_developed_with_healthy_accounts(write: Write):
    story = told(ADOPTION, "success_story", write, "Success-story development")
    assert holds(ADOPTION, story.condition, tier="pro", severity=0)
    assert not holds(ADOPTION, story.condition, tier="pro", severity=1)


@pytest.mark.requirement("S3-32")
def test_starter_accounts_get_the_mails_alone():
    by_hand = [step for step in ADOPTION.steps if step.channel == "crm"]
    assert by_hand
    assert not any(holds(ADOPTION, step.condition, tier="starter", severity=0) for step in by_hand)
    assert all(step.condition is None for step in ADOPTION.steps if step.channel == "email")


def test_a_save_play_takes_over():
    assert exit_reason(ADOPTION, has_open_save_play=True) == "save_play"


@pytest.mark.requirement("S4-179", "C-19")
def test_what_the_source_declares_of_adoption_is_kept():
    declared = ADOPTION.declared
    assert declared is not None
    assert (declared.duration_days, declared.owner, declared.milestones) == (90, "Customer + CSM", 8)
    assert (declared.tasks, declared.automation_percent) == (63, 40)
