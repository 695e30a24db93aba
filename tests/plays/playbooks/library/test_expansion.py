"""Expansion and cross-sell: step by step against the source."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import (
    PLAYBOOKS,
    Write,
    exit_reason,
    holds,
    is_for,
    is_in,
    starts,
    told,
    words,
)

SEATS, FEATURE, PLAN = (PLAYBOOKS[f"expansion_{what}"] for what in ("seats", "feature", "plan"))
CROSS = PLAYBOOKS["cross_sell"]
EVERY = [SEATS, FEATURE, PLAN, CROSS]
HEALTHY = {"severity": 0, "has_open_save_play": False, "tenure_days": 200, "tier": "pro"}


@pytest.mark.requirement("S3-23", "C-26")
@pytest.mark.parametrize("playbook", EVERY, ids=lambda each: each.playbook)
@pytest.mark.parametrize(
    "against", [{"severity": 1}, {"severity": None}, {"has_open_save_play": True}, {"tenure_days": 60}]
)
def test_only_healthy_accounts_past_their_beginnings_are_asked(playbook: Playbook, against: dict[str, object]):
    assert is_for(playbook, **HEALTHY)
    assert not is_for(playbook, **HEALTHY | against)


@pytest.mark.requirement("C-26")
@pytest.mark.parametrize("playbook", EVERY, ids=lambda each: each.playbook)
def test_it_stops_when_the_account_is_no_longer_healthy(playbook: Playbook):
    assert exit_reason(playbook, severity=1) == "no_longer_healthy"
    assert exit_reason(playbook, severity=0, is_bad_fit=True) == "bad_fit"


def test_seats_are_full_at_nine_in_ten_and_a_plan_is_outgrown_when_features_are_too():
    assert is_in("seats_full", seat_utilisation=0.9)
    assert not is_in("seats_full", seat_utilisation=0.89)
    assert is_in("outgrows_plan", tier="pro", seat_utilisation=0.9, feature_adoption_ratio=0.8)
    assert not is_in("outgrows_plan", tier="enterprise", seat_utilisation=0.9, feature_adoption_ratio=0.8)
    assert is_in("ready_for_features", feature_adoption_ratio=0.8, usage_growth=0.1)
    assert not is_in("ready_for_features", feature_adoption_ratio=0.7, usage_growth=0.1)
    assert [starts(each, segment=name) for each, name in zip(
        EVERY[:3], ("seats_full", "ready_for_features", "outgrows_plan"), strict=True
    )] == [True, True, True]  # fmt: skip
    assert PLAN.priority > SEATS.priority > FEATURE.priority


@pytest.mark.requirement("S4-113")
def test_seats_are_approached_in_the_five_steps_of_the_source(write: Write):
    names = [step.step for step in SEATS.steps if step.step != "upgrade_prompt"]
    assert names == ["stakeholders", "demonstrate_value", "provide_training", "bulk_pricing", "procurement"]
    told(SEATS, "stakeholders", write, "Identify stakeholders")
    told(SEATS, "demonstrate_value", write, "Demonstrate value to new users")
    told(SEATS, "provide_training", write, "Training for your new colleagues")
    told(SEATS, "procurement", write, "Simplify procurement")
    pricing = told(SEATS, "bulk_pricing", write, "Bulk pricing")
    assert (pricing.intent, pricing.needs_approval) == ("offer", True)


@pytest.mark.requirement("S4-117")
def test_features_are_approached_in_the_five_steps_of_the_source(write: Write):
    names = ["demonstration", "roi_calculation", "trial_period", "success_stories", "upgrade_incentive"]
    assert [step.step for step in FEATURE.steps] == names
    told(FEATURE, "demonstration", write, "Feature demonstration")
    told(FEATURE, "roi_calculation", write, "ROI calculation")
    told(FEATURE, "success_stories", write, "stories")
    for name, title in (("trial_period", "Trial period"), ("upgrade_incentive", "Upgrade incentive")):
        offer = told(FEATURE, name, write, title)
        assert (offer.intent, offer.needs_approval) == ("offer", True)


@pytest.mark.requirement("S4-121")
def test_a_plan_is_approached_in_the_five_steps_of_the_source(write: Write):
    names = [step.step for step in PLAN.steps if step.step != "upgrade_prompt"]
    assert names == ["usage_analysis", "growth_projection", "plan_comparison", "migration_assistance", "grandfathering"]
    told(PLAN, "usage_analysis", write, "Usage-analysis presentation")
    told(PLAN, "growth_projection", write, "Growth projection")
    told(PLAN, "plan_comparison", write, "Plan comparison")
    told(PLAN, "migration_assistance", write, "Migration assistance")
    benefits = told(PLAN, "grandfathering", write, "Grandfathering benefits")
    assert (benefits.intent, benefits.needs_approval) == ("offer", True)


@pytest.mark.requirement("S3-32")
@pytest.mark.parametrize("playbook", [SEATS, PLAN], ids=lambda each: each.playbook)
def test_starter_accounts_are_prompted_by_mail_and_by_nothing_else(playbook: Playbook):
    found = [step for step in playbook.steps if holds(playbook, step.condition, tier="starter")]
    assert [(step.step, step.channel, step.intent) for step in found] == [("upgrade_prompt", "email", "ask")]
    assert not holds(playbook, playbook.step_named("upgrade_prompt").condition, tier="pro")


def test_the_prompt_shows_the_seats_in_use(write: Write):
    text = words(write(SEATS, SEATS.step_named("upgrade_prompt"), active_users_30d=38, seats=40, seat_utilisation=0.95))
    for part in (
        "38 people active in 30 days",
        "40 seats in your plan",
        "95% of them in use",
        "there is nothing to do",
    ):
        assert part in text


@pytest.mark.requirement("S4-122")
@pytest.mark.parametrize(
    ("product", "need", "value", "discount"),
    [
        pytest.param("SMS Marketing", "phones", "omnichannel campaigns", "20%",
            marks=pytest.mark.requirement("S4-123")),
        pytest.param("Marketing Automation", "complex", "advanced automation", "25%",
            marks=pytest.mark.requirement("S4-124")),
        pytest.param("CRM Integration", "sales", "full-funnel visibility", "15%",
            marks=pytest.mark.requirement("S4-125")),
        pytest.param("Analytics Platform", "advanced reporting", "deep insights", "30%",
            marks=pytest.mark.requirement("S4-126")),
    ],
)  # fmt: skip
def test_a_second_product_has_the_need_value_and_bundle_of_the_matrix(
    product: str, need: str, value: str, discount: str, write: Write
):
    assert starts(CROSS, rule="cross_sell_need")
    asks = words(write(CROSS, CROSS.step_named("ask_about_need"), entity=product))
    assert f"Does Nordwind Logistik need {product}?" in asks
    assert need in asks.partition("Ask about it")[0]
    assert value in asks
    assert discount not in asks, "the need comes before the price"
    bundle = CROSS.step_named("bundle_discount")
    text = words(write(CROSS, bundle, entity=product))
    assert f"Bundle for Nordwind Logistik: Email Marketing and {product}" in text
    assert f"{discount} off the bundle" in text
    assert (bundle.intent, bundle.needs_approval) == ("offer", True)


def test_other_alerts_start_no_cross_sell():
    assert not starts(CROSS, rule="usage_drop")


@pytest.mark.requirement("S4-181", "C-19")
def test_what_the_source_declares_of_expansion_is_kept():
    declared = SEATS.declared
    assert declared is not None
    assert (declared.duration_days, declared.owner, declared.milestones) == (None, "CSM", None)
    assert (declared.tasks, declared.automation_percent) == (25, 50)
