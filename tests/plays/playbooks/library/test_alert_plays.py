"""What alerts start, and the weekly summary: step by step against the sources."""

import pytest

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.plays.delivery.upsell_guards import RETAINING
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.cadences import load_cadences, watch
from tests.plays.playbooks.library.reading import (
    PLAYBOOKS,
    SHIPPED,
    Write,
    exit_reason,
    holds,
    is_for,
    starts,
    told,
    words,
)

STARTED_BY_ALERTS = [each for each in SHIPPED if each.trigger.kind == "alert" and each.playbook != "cross_sell"]
REMINDER, SUMMARY, MILESTONE = (PLAYBOOKS[name] for name in ("onboarding_reminder", "usage_summary", "milestone"))
DISCOUNT, RE_ENGAGEMENT, REFERRAL = (
    PLAYBOOKS[name] for name in ("inactive_discount", "re_engagement", "referral_request")
)
LEAD, CALL = PLAYBOOKS["expansion_active_users"], PLAYBOOKS["usage_drop_call"]
SESSION, DEMO = PLAYBOOKS["troubleshooting"], PLAYBOOKS["feature_launch_demo"]


@pytest.mark.parametrize(
    ("rule", "playbook"),
    [
        pytest.param("onboarding_step_stuck_user", REMINDER, marks=pytest.mark.requirement("S1-07")),
        pytest.param("milestone_reached", MILESTONE, marks=pytest.mark.requirement("S1-12")),
        pytest.param("heavy_user", LEAD, marks=pytest.mark.requirement("S1-15")),
        pytest.param("inactive_30d", DISCOUNT, marks=pytest.mark.requirement("S1-17")),
        pytest.param("no_login", RE_ENGAGEMENT, marks=pytest.mark.requirement("S3-25")),
        pytest.param("usage_drop", CALL, marks=pytest.mark.requirement("S3-24")),
        pytest.param("tickets_spike", SESSION, marks=pytest.mark.requirement("S3-26")),
        pytest.param("feature_launch_relevant", DEMO, marks=pytest.mark.requirement("S3-27")),
        pytest.param("positive_feedback", REFERRAL, marks=pytest.mark.requirement("S3-29")),
        pytest.param("nps_high", REFERRAL, marks=pytest.mark.requirement("S3-29")),
    ],
)
def test_each_rule_starts_the_play_of_its_source_and_no_other(rule: str, playbook: Playbook):
    assert [each for each in STARTED_BY_ALERTS if starts(each, rule=rule)] == [playbook]


@pytest.mark.requirement("S1-08", "S1-14", "S1-18", "C-40")
def test_what_is_for_each_user_goes_to_that_user():
    assert {each.playbook for each in SHIPPED if each.is_about_user} == {
        "onboarding_reminder", "milestone", "inactive_discount",
    }  # fmt: skip
    assert {step.to for each in (REMINDER, MILESTONE, DISCOUNT) for step in each.steps} == {"user"}


@pytest.mark.requirement("S1-08")
def test_the_reminder_names_the_step_that_comes_next_and_leads_there(write: Write):
    told(REMINDER, "reminder", write, "Hi Ada,", "Invite your team", "/settings/team")
    unknown = words(write(REMINDER, REMINDER.step_named("reminder"), next_onboarding_step=None))
    assert "finish your setup" in unknown
    assert exit_reason(REMINDER, alert_is_over=True) == "went_on"


@pytest.mark.requirement("S1-09", "S1-11")
def test_the_summary_has_the_four_figures_of_the_source_and_leaves_out_what_is_not_known(write: Write):
    told(SUMMARY, "summary", write, "Logins", "38", "Conversions", "9", "spend a month", "$1,540", "Saved", "$2,150")
    partly = words(write(SUMMARY, SUMMARY.steps[0], orders_7d=None, amount_saved_30d=None, logins_7d=0))
    assert "Logins 0" in partly.replace(" | ", " ")
    assert "Conversions" not in partly
    assert "Saved" not in partly.partition("in the last week")[2]


@pytest.mark.requirement("S1-10")
def test_the_summary_is_due_once_a_week_for_who_was_there_once_a_team_switches_it_on():
    cadence = load_cadences(None)["usage_summary"]
    assert (cadence.since, [rule.every_days for rule in cadence.rules]) == ("tenure_days", [7])
    assert starts(SUMMARY, cadence="usage_summary")
    assert not SUMMARY.switched_on
    assert [each.playbook for each in SHIPPED if not each.switched_on] == [
        "survey_onboarding",
        "survey_quarterly",
        "usage_summary",
    ]
    (step,) = SUMMARY.steps
    assert (step.channel, step.to, step.intent) == ("email", "point_of_contact", "inform")


@pytest.mark.requirement("S1-14", "C-29")
def test_a_milestone_is_congratulated_in_a_text_message_that_asks_for_nothing(write: Write):
    (step,) = MILESTONE.steps
    assert (step.channel, step.intent) == ("sms", "inform")
    message = write(MILESTONE, step, measured=4)
    assert message.channel == "sms"
    assert "Ada, congratulations! You have placed 4 orders with Fernweh. Thank you" in words(message)


@pytest.mark.requirement("S1-16", "C-26")
def test_sales_hears_of_the_most_active_in_slack_and_the_owner_gets_a_task(write: Write):
    lead = told(LEAD, "tell_sales", write, "A lead: somebody at Nordwind Logistik uses us more than most")
    blocks = str(write(LEAD, lead, user_id="u7", measured=250).payload["blocks"])
    assert "User u7 had 250 events lately" in blocks
    assert "olga.owner@example.com" in blocks
    task = told(LEAD, "reach_out", write, "Reach out to the most active at Nordwind Logistik")
    assert (lead.channel, lead.to, task.channel, task.to) == ("slack", "sales", "crm", "owner")
    assert (lead.intent, task.intent) == ("inform", "ask")
    healthy = {"severity": 0, "has_open_save_play": False, "tenure_days": 200}
    assert is_for(LEAD, **healthy)
    for against in ({"severity": 1}, {"has_open_save_play": True}, {"tenure_days": 60}):
        assert not is_for(LEAD, **healthy | against)


@pytest.mark.requirement("S1-18", "C-27")
def test_a_discount_is_a_draft_until_a_person_approves_it_and_not_for_bad_fits(write: Write):
    (step,) = DISCOUNT.steps
    assert (step.intent, step.waits_for_approval) == ("offer", True)
    told(DISCOUNT, "discount", write, "discount", "until the end of next month")
    assert is_for(DISCOUNT, is_bad_fit=False)
    assert not is_for(DISCOUNT, is_bad_fit=True)
    assert not is_for(DISCOUNT)
    assert DISCOUNT.family in RETAINING, "low use is its reason, and no reason against it"
    assert exit_reason(DISCOUNT, alert_is_over=True) == "came_back"
    assert DISCOUNT.reentry_after_days == 365


@pytest.mark.requirement("S3-25")
def test_who_has_been_away_for_a_week_is_reminded_of_the_value(write: Write):
    step = told(RE_ENGAGEMENT, "value_reminder", write, "has logged in for a week", "$61,300", "saved in thirty days")
    assert (step.channel, step.intent) == ("email", "educate")
    assert "A week without you" in words(
        write(RE_ENGAGEMENT, step, value_delivered_365d=0, amount_saved_30d=None, core_features_used=None)
    )
    assert exit_reason(RE_ENGAGEMENT, alert_is_over=True) == "came_back"


@pytest.mark.requirement("C-30")
def test_the_month_of_inactivity_goes_before_the_week():
    assert DISCOUNT.family == RE_ENGAGEMENT.family
    assert DISCOUNT.priority > RE_ENGAGEMENT.priority


@pytest.mark.requirement("S3-24", "C-22")
def test_a_drop_in_use_is_called_about_to_find_the_blockers_where_a_person_looks_after_the_account(write: Write):
    call = told(CALL, "call", write, "Check-in call with Nordwind Logistik", "identify the blockers")
    assert "logins fell by 56%" in words(write(CALL, call, entity="logins", measured=0.56))
    assert (call.channel, call.to, call.priority) == ("crm", "owner", "high")
    account = {"tier": "pro", "tenure_days": 60, "has_open_save_play": False}
    assert is_for(CALL, **account)
    assert not is_for(CALL, **account | {"tier": "starter"})
    assert CALL.family == "check_in"
    in_family = [each.priority for each in SHIPPED if each.family == "check_in" and each is not CALL]
    assert CALL.priority > max(in_family)


@pytest.mark.requirement("S3-26", "S3-32")
def test_a_spike_of_tickets_ends_in_a_troubleshooting_session(write: Write):
    task = told(SESSION, "schedule", write, "Schedule a troubleshooting session with Nordwind Logistik")
    assert (task.channel, task.to) == ("crm", "owner")
    assert not holds(SESSION, task.condition, tier="starter")
    assert holds(SESSION, task.condition, tier=None)
    told(SESSION, "invitation", write, "3 requests of Nordwind Logistik are still open", "Choose a time")


@pytest.mark.requirement("S3-27")
def test_a_launch_that_fits_is_offered_as_a_demo_on_their_own_data(write: Write):
    step = told(DEMO, "demo_offer", write, "New, and close to what you do: send time", "demo", "ship weekly reports")
    assert (step.channel, step.intent) == ("email", "educate")
    assert "New, and close to what you do" in words(write(DEMO, step, feature=None, sales_goal=None))


@pytest.mark.requirement("S3-29", "C-28")
@pytest.mark.parametrize(
    "against", [{"score": 79.9}, {"score": None}, {"open_critical_tickets": 1}, {"has_open_save_play": True}]
)
def test_praise_leads_to_an_ask_only_where_all_is_well(against: dict[str, object], write: Write):
    ask = told(REFERRAL, "referral", write, "referral", "testimonial")
    well = {"score": 80, "open_critical_tickets": 0, "has_open_save_play": False}
    assert is_for(REFERRAL, **well)
    assert holds(REFERRAL, ask.condition, **well)
    assert not is_for(REFERRAL, **well | against)
    assert not holds(REFERRAL, ask.condition, **well | against)
    assert ask.intent == "ask"


@pytest.mark.requirement("S3-28")
def test_the_review_at_sixty_days_is_the_renewal_ladders_and_no_second_one(write: Write):
    ladder = PLAYBOOKS["renewal_ladder"]
    step = told(ladder, "renewal_conversation", write, "Business review", "ROI documentation")
    assert (step.day, step.channel) == (-60, "crm")


def test_every_rule_that_a_playbook_waits_for_is_shipped():
    waited_for = {name for each in SHIPPED if each.trigger.kind == "alert" for name in each.named_causes or ()}
    assert len(waited_for) > 9
    assert waited_for <= set(load_rules(None))


def test_no_trigger_is_kept_of_a_cadence_that_no_play_waits_for():
    waited_for = watch(None)._cadences  # pyright: ignore[reportPrivateUsage]
    assert set(waited_for) == set(load_cadences(None)) - {"survey", "usage_summary"}
    assert "alert_is_over" in ACCOUNT_FACTS
