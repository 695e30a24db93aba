"""The renewal ladder: step by step against the sources."""

import pytest

from tests.plays.playbooks.library.reading import (
    PLAYBOOKS,
    Write,
    exit_reason,
    holds,
    on_day,
    starts,
    the_step,
    told,
    words,
)

RENEWAL = PLAYBOOKS["renewal_ladder"]


@pytest.mark.requirement("S5-30", "S5-31", "S5-32", "S5-33", "S5-34", "C-32")
def test_the_renewal_ladder_has_exactly_the_days_of_the_source():
    assert sorted({step.day for step in RENEWAL.steps}) == [-180, -90, -60, -30, -14]
    assert all(starts(RENEWAL, renewal_window=window) for window in ("180", "90", "60", "30", "14"))
    assert not starts(RENEWAL, renewal_window="overdue")


@pytest.mark.requirement("S2-12", "S5-30")
def test_180_days_before_comes_the_annual_review_with_usage_value_and_return(write: Write):
    review = the_step(RENEWAL, -180, "email")
    text = words(
        write(
            RENEWAL,
            review,
            active_users_30d=17,
            seat_utilisation=0.425,
            core_features_used=2,
            value_delivered_365d=61_300.4,
            value_ratio=3.32,
        )
    )
    for part in ("17 people active", "42% of your seats", "$61,300 of value", "3.3 times the price of a year"):
        assert part in text


@pytest.mark.requirement("S5-30")
def test_180_days_before_the_owner_schedules_a_business_review():
    assert the_step(RENEWAL, -180, "crm").to == "owner"


@pytest.mark.requirement("S5-31")
def test_90_days_before_comes_a_reminder_and_an_opportunity_in_the_crm(write: Write):
    reminder, recommendation = [step for step in on_day(RENEWAL, -90) if step.channel == "email"]
    assert "renews on 2 April 2026" in write(RENEWAL, reminder).subject
    assert (reminder.intent, reminder.when, recommendation.intent) == ("inform", None, "ask")
    opportunity = the_step(RENEWAL, -90, "crm", kind="opportunity")
    message = write(RENEWAL, opportunity)
    assert (opportunity.to, message.payload["kind"]) == ("owner", "opportunity")


@pytest.mark.requirement("S5-31", "S5-32", "C-26")
@pytest.mark.parametrize(("day", "channel"), [(-90, "email"), (-60, "crm")])
def test_an_upgrade_is_recommended_to_healthy_accounts_only(day: int, channel: str):
    (step,) = [step for step in on_day(RENEWAL, day) if (step.channel, step.intent) == (channel, "ask")]
    assert holds(RENEWAL, step.condition, severity=0, has_open_save_play=False)
    assert not holds(RENEWAL, step.condition, severity=1, has_open_save_play=False)
    assert not holds(RENEWAL, step.condition, severity=None, has_open_save_play=False)
    assert not holds(RENEWAL, step.condition, severity=0, has_open_save_play=True)


@pytest.mark.requirement("S5-31")
def test_the_recommendation_is_more_seats_where_seats_run_out_and_else_the_next_plan(write: Write):
    (step,) = [step for step in on_day(RENEWAL, -90) if step.intent == "ask"]
    assert "A few more seats" in words(write(RENEWAL, step, seat_utilisation=0.95))
    assert "what the next plan adds" in words(write(RENEWAL, step, seat_utilisation=0.6))


@pytest.mark.requirement("S5-32")
def test_60_days_before_comes_a_story_of_expansion_and_the_owner_presents_the_next_tier(write: Write):
    story = the_step(RENEWAL, -60, "email")
    assert story.intent == "educate"
    assert "grown" in write(RENEWAL, story).subject
    present = RENEWAL.step_named("present_new_tier")
    assert (present.day, present.channel, present.to) == (-60, "crm", "owner")
    assert "next tier above pro" in words(write(RENEWAL, present, tier="pro"))


@pytest.mark.requirement("S3-22", "S3-28", "S3-37", "S4-20")
def test_60_days_before_comes_the_renewal_conversation_of_pro_and_enterprise(write: Write):
    conversation = told(
        RENEWAL,
        "renewal_conversation",
        write,
        "ROI documentation",
        "Executive alignment",
        "Contract negotiation",
        "Future planning",
    )
    assert (conversation.day, conversation.channel, conversation.to) == (-60, "crm", "owner")
    assert holds(RENEWAL, conversation.condition, tier="pro")
    assert holds(RENEWAL, conversation.condition, tier="enterprise")
    assert not holds(RENEWAL, conversation.condition, tier="starter")


@pytest.mark.requirement("S4-180", "C-19")
def test_what_the_source_declares_of_the_renewal_playbook_is_kept():
    declared = RENEWAL.declared
    assert declared is not None
    assert (declared.duration_days, declared.owner, declared.milestones) == (60, "CSM + Sales", 6)
    assert (declared.tasks, declared.automation_percent) == (38, 30)


@pytest.mark.requirement("S5-33")
def test_30_days_before_comes_the_final_reminder_with_a_clear_call_to_renew(write: Write):
    message = write(RENEWAL, the_step(RENEWAL, -30, "email"), days_to_renewal=30)
    assert message.subject == "30 days left: please confirm your renewal"
    assert (message.body_html or "").count("Confirm the renewal") == 1


@pytest.mark.requirement("S5-33")
def test_30_days_before_those_who_do_not_answer_go_to_the_manager():
    step = the_step(RENEWAL, -30, "crm")
    assert step.to == "manager"
    assert holds(RENEWAL, step.condition, responded_since_enrolment=False)
    assert not holds(RENEWAL, step.condition, responded_since_enrolment=True)


@pytest.mark.requirement("S5-34")
def test_14_days_before_an_automatic_renewal_the_payment_method_is_confirmed(write: Write):
    payment = the_step(RENEWAL, -14, "email")
    assert holds(RENEWAL, payment.condition, renewal_type="auto")
    assert not holds(RENEWAL, payment.condition, renewal_type="manual")
    message = write(RENEWAL, payment, days_to_renewal=14)
    assert message.subject == "Your subscription renews in 14 days"
    assert "confirm that your payment method" in words(message)


@pytest.mark.requirement("S5-34")
def test_14_days_before_a_manual_renewal_legal_sends_the_contracts():
    contracts = the_step(RENEWAL, -14, "crm")
    assert contracts.to == "legal"
    assert holds(RENEWAL, contracts.condition, renewal_type="manual")
    assert not holds(RENEWAL, contracts.condition, renewal_type="auto")


def test_the_ladder_ends_when_the_renewal_is_done_or_the_customer_cancels():
    assert exit_reason(RENEWAL, renewal_done=True) == "renewed"
    assert exit_reason(RENEWAL, renewal_done=False, ends_unrenewed=True) == "ends_unrenewed"
    assert exit_reason(RENEWAL, renewal_done=False, has_cancellation_request=True) == "cancellation_requested"
    assert exit_reason(RENEWAL, renewal_done=False, has_cancellation_request=False) is None
