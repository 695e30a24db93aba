"""The shipped playbooks, step by step against the source: day, channel, recipient, condition, and what is said."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.catalogue import facts_of_trigger
from cs_pipeline.plays.conditions import Condition
from cs_pipeline.plays.facts import typed
from cs_pipeline.plays.rendering import Renderer
from cs_pipeline.plays.sample_facts import SampleAction, everything_known
from cs_pipeline.plays.specification import CUSTOMER_ROLES, Playbook, Step, load_playbooks
from cs_pipeline.settings import Settings

PLAYBOOKS = load_playbooks(None)
YELLOW, RED = PLAYBOOKS["yellow_adoption"], PLAYBOOKS["red_save"]
RENEWAL, ONBOARDING = PLAYBOOKS["renewal_ladder"], PLAYBOOKS["onboarding_sequence"]
SHIPPED = [YELLOW, RED, RENEWAL, ONBOARDING]

Write = Callable[..., Message]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Settings(home=Path("unused"), company_name="Fernweh"))


@pytest.fixture
def write(renderer: Renderer) -> Write:
    """Writes a step for an account of which everything is known but for what the test says of it."""

    def write(playbook: Playbook, step: Step, **facts: object) -> Message:
        known = everything_known(playbook.trigger.kind) | facts
        return renderer.render(playbook, step, known, SampleAction(playbook.playbook, playbook.family))

    return write


def on_day(playbook: Playbook, day: int) -> list[Step]:
    return [step for step in playbook.steps if step.day == day]


def the_step(playbook: Playbook, day: int, channel: str, kind: str = "task") -> Step:
    (step,) = [step for step in on_day(playbook, day) if (step.channel, step.kind) == (channel, kind)]
    return step


def holds(playbook: Playbook, condition: Condition | None, **facts: object) -> bool:
    assert condition is not None
    frame = typed(pd.DataFrame([facts], dtype="object"), facts_of_trigger(playbook.trigger.kind))
    return bool(condition.holds(frame).iloc[0])


def starts(playbook: Playbook, **facts: object) -> bool:
    return holds(playbook, playbook.trigger.condition, **facts)


def exit_reason(playbook: Playbook, **facts: object) -> str | None:
    found = [ending.reason for ending in playbook.exit if holds(playbook, ending.condition, **facts)]
    return found[0] if found else None


def words(message: Message) -> str:
    """The text of a message, each run of white space as one blank."""
    return " ".join(f"{message.subject} {message.body_text}".split())


# The whole ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-04", "S5-05", "S5-06", "S5-07", "S5-08", "S5-09")
def test_onboarding_has_exactly_the_days_of_the_source():
    assert [step.day for step in ONBOARDING.steps] == [0, 1, 3, 7, 14, 30]


@pytest.mark.requirement("S5-20", "S5-21", "S5-22", "S5-23", "S5-24")
def test_the_yellow_play_has_exactly_the_days_of_the_source():
    assert [step.day for step in YELLOW.steps] == [1, 3, 5, 10, 14]


@pytest.mark.requirement("S5-25", "S5-26", "S5-27", "S5-28", "S5-29")
def test_the_red_play_has_exactly_the_days_of_the_source():
    assert sorted({step.day for step in RED.steps}) == [0, 1, 3, 7, 14]


@pytest.mark.requirement("S5-30", "S5-31", "S5-32", "S5-33", "S5-34", "C-32")
def test_the_renewal_ladder_has_exactly_the_days_of_the_source():
    assert sorted({step.day for step in RENEWAL.steps}) == [-180, -90, -60, -30, -14]
    assert all(starts(RENEWAL, renewal_window=window) for window in ("180", "90", "60", "30", "14"))
    assert not starts(RENEWAL, renewal_window="overdue")


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_every_shipped_playbook_can_be_rendered_before_anybody_is_enrolled(playbook: Playbook, renderer: Renderer):
    renderer.check(playbook)


@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_a_playbook_names_the_requirements_it_is_made_of(playbook: Playbook):
    text = (Path(__file__).parents[2] / "docs" / "requirements.md").read_text()
    known = set(re.findall(r"^([SC]\d?-\d+) \|", text, flags=re.MULTILINE))
    assert playbook.requirements
    assert set(playbook.requirements) <= known


def test_every_day_is_a_calendar_day_as_the_source_counts_them():
    assert {step.days for playbook in SHIPPED for step in playbook.steps} == {"calendar"}


# Onboarding ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-04")
def test_onboarding_starts_at_signup_with_a_welcome_and_one_single_task(write: Write):
    assert ONBOARDING.trigger.kind == "lifecycle"
    assert starts(ONBOARDING, anchor="signup")
    welcome = the_step(ONBOARDING, 0, "email")
    assert welcome.to == "point_of_contact"
    message = write(ONBOARDING, welcome)
    assert words(message).count("Your one task") == 2, "in the subject and once in the mail"
    assert "<li>" not in (message.body_html or ""), "not a checklist"


@pytest.mark.requirement("S5-04")
@pytest.mark.parametrize(
    ("next_step", "task"),
    [
        ("integration_connected", "Connect your first integration"),
        ("invite_team", "Invite your team"),
        ("team_invited", "Invite your team"),
        ("first_campaign_sent", "Run your first campaign"),
        ("profile_filled", "Finish setting up: profile filled"),
        (None, "Connect your first integration"),
    ],
)
def test_the_one_task_is_the_first_step_not_yet_done(write: Write, next_step: str | None, task: str):
    welcome = the_step(ONBOARDING, 0, "email")
    assert f"Your one task {task}." in words(write(ONBOARDING, welcome, next_onboarding_step=next_step))


@pytest.mark.requirement("S5-05")
def test_day_1_asks_whether_the_task_is_done_and_says_what_is_next(write: Write):
    check_in = the_step(ONBOARDING, 1, "email")
    asked = words(write(ONBOARDING, check_in, onboarding_steps_completed=0))
    assert "Did you complete your first task, invite your team?" in asked
    done = words(write(ONBOARDING, check_in, onboarding_steps_completed=2))
    assert "You have completed 2 steps of 5" in done
    assert "What's next Invite your team." in done


@pytest.mark.requirement("S5-06", "C-25")
def test_on_day_3_high_value_accounts_get_a_person():
    touch = the_step(ONBOARDING, 3, "crm")
    assert touch.to == "owner"
    assert holds(ONBOARDING, touch.condition, is_high_value=True)
    assert not holds(ONBOARDING, touch.condition, is_high_value=False)
    assert not holds(ONBOARDING, touch.condition, is_high_value=None)


@pytest.mark.requirement("S5-07")
def test_day_7_shares_what_they_accomplished_and_suggests_a_step(write: Write):
    first_week = the_step(ONBOARDING, 7, "email")
    message = write(ONBOARDING, first_week, active_users_7d=11, core_features_used=2, onboarding_steps_completed=1)
    assert message.subject == "You've been with us a week"
    for part in ("11 people active this week", "2 core features in use", "1 first step done", "Suggested next"):
        assert part in words(message)


@pytest.mark.requirement("S5-07")
def test_a_first_week_without_any_use_boasts_of_nothing(write: Write):
    first_week = the_step(ONBOARDING, 7, "email")
    nothing = dict.fromkeys(["active_users_7d", "core_features_used", "onboarding_steps_completed"], 0)
    text = words(write(ONBOARDING, first_week, **nothing))
    assert "a quiet one so far" in text
    assert "accomplished" not in text


@pytest.mark.requirement("S5-08", "C-26")
def test_day_14_brings_a_case_study_that_counts_as_education(write: Write):
    case_study = the_step(ONBOARDING, 14, "email")
    assert case_study.intent == "educate"
    assert "stories" in words(write(ONBOARDING, case_study))


@pytest.mark.requirement("S5-09")
def test_day_30_asks_whether_they_reach_their_goals(write: Write):
    check_in = the_step(ONBOARDING, 30, "email")
    assert "a goal: ship reports. Are you on the way there?" in words(
        write(ONBOARDING, check_in, sales_goal="ship reports")
    )
    assert "Are you reaching the goals you came with?" in words(write(ONBOARDING, check_in, sales_goal=None))


# Yellow -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-12", "C-23")
def test_the_yellow_play_starts_when_behaviour_makes_a_healthy_account_yellow():
    assert YELLOW.family == "save"
    assert starts(YELLOW, from_severity=0, to_severity=1, cause="behaviour")
    assert not starts(YELLOW, from_severity=3, to_severity=1, cause="behaviour"), "that is a recovery"
    assert not starts(YELLOW, from_severity=0, to_severity=3, cause="behaviour"), "that is the red play's"
    assert not starts(YELLOW, from_severity=None, to_severity=1, cause="first_score")


@pytest.mark.requirement("C-12")
@pytest.mark.parametrize("cause", ["calendar", "missing_data", "model_version"])
def test_nobody_is_written_to_because_of_a_date_lost_data_or_a_new_model(cause: str):
    assert not starts(YELLOW, from_severity=0, to_severity=1, cause=cause)


@pytest.mark.parametrize("playbook", [YELLOW, RED], ids=["yellow", "red"])
def test_the_first_thirty_days_belong_to_onboarding(playbook: Playbook):
    assert not holds(playbook, playbook.audience_condition, tenure_days=30)
    assert holds(playbook, playbook.audience_condition, tenure_days=31)


@pytest.mark.requirement("S5-20")
@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        ({"top_unused_core_feature": "ab_tests"}, "We noticed you haven't tried ab tests yet"),
        ({"top_unused_core_feature": None, "logged_in_7d": 0}, "We noticed you haven't signed in this week"),
        (
            {"top_unused_core_feature": None, "logged_in_7d": 1, "seat_utilisation": 0.4},
            "We noticed you haven't filled all your seats",
        ),
    ],
)
def test_day_1_names_what_they_have_not_done_and_brings_a_guide(write: Write, facts: dict[str, object], subject: str):
    guide = the_step(YELLOW, 1, "email")
    assert (guide.to, guide.intent) == ("point_of_contact", "educate")
    message = write(YELLOW, guide, **facts)
    assert message.subject == subject
    assert "Here is a quick guide" in f"{message.payload['preview']}"
    assert "Three steps 1." in words(message)


@pytest.mark.requirement("S5-21")
def test_day_3_has_the_owner_find_the_specific_gap(write: Write):
    review = the_step(YELLOW, 3, "crm")
    assert review.to == "owner"
    assert "name one specific gap" in words(write(YELLOW, review))


@pytest.mark.requirement("S5-22")
@pytest.mark.parametrize(
    ("facts", "recommendation"),
    [
        ({"seat_utilisation": 0.3, "seats": 40, "active_users_30d": 12}, "Bring your colleagues in"),
        ({"seat_utilisation": 0.9, "top_unused_core_feature": "reports"}, "Give reports one try"),
        (
            {"seat_utilisation": 0.9, "top_unused_core_feature": None, "attended_training_ever": 0},
            "Join one training session",
        ),
        (
            {"seat_utilisation": None, "top_unused_core_feature": None, "attended_training_ever": None},
            "Review one workflow together",
        ),
    ],
)
def test_day_5_makes_one_recommendation_from_the_accounts_own_figures(
    write: Write, facts: dict[str, object], recommendation: str
):
    step = the_step(YELLOW, 5, "email")
    text = words(write(YELLOW, step, **facts))
    every = ("Bring your colleagues in", "Give reports one try", "Join one training session", "Review one workflow")
    assert recommendation in text
    assert sum(each in text for each in every) == 1


@pytest.mark.requirement("S5-23")
def test_day_10_offers_a_free_session_or_a_call_which_is_help_and_no_upsell(write: Write):
    step = the_step(YELLOW, 10, "email")
    assert step.intent == "educate"
    text = words(write(YELLOW, step))
    for part in ("A free session", "A training session", "A success call"):
        assert part in text


@pytest.mark.requirement("S5-24", "C-25")
def test_day_14_brings_an_executive_to_high_value_accounts_only():
    touch = the_step(YELLOW, 14, "crm")
    assert touch.to == "executive"
    assert holds(YELLOW, touch.condition, is_high_value=True)
    assert not holds(YELLOW, touch.condition, is_high_value=False)
    assert Settings(home=Path("unused")).high_value_arr == 10_000


@pytest.mark.requirement("C-23", "C-27")
def test_the_yellow_play_ends_when_it_is_over_one_way_or_the_other():
    assert exit_reason(YELLOW, severity=0) == "recovered"
    assert exit_reason(YELLOW, severity=3) == "escalated"
    assert exit_reason(YELLOW, severity=1, is_bad_fit=True) == "graceful_exit"
    assert exit_reason(YELLOW, severity=1, is_bad_fit=False) is None


# Red ----------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-12", "C-23")
def test_the_red_play_starts_when_an_account_turns_critical_and_outranks_the_yellow_one():
    assert starts(RED, from_severity=1, to_severity=3, cause="behaviour")
    assert starts(RED, from_severity=None, to_severity=3, cause="first_score")
    assert not starts(RED, from_severity=1, to_severity=3, cause="calendar")
    assert not starts(RED, from_severity=0, to_severity=1, cause="behaviour")
    assert RED.family == YELLOW.family
    assert RED.priority > YELLOW.priority


@pytest.mark.requirement("S5-25", "C-37")
def test_owner_and_manager_are_alerted_at_once(write: Write):
    alerts = on_day(RED, 0)
    assert [(step.channel, step.to) for step in alerts] == [("slack", "owner"), ("slack", "manager")]
    for step in alerts:
        message = write(RED, step)
        assert message.subject == "Nordwind Logistik is at risk of churning"
        assert "Score fell from 72 (green) to 47.5 (yellow): seats in use (−10)" in words(message)


@pytest.mark.requirement("S5-26")
def test_day_1_is_a_discovery_call_about_the_root_cause(write: Write):
    call = the_step(RED, 1, "crm")
    assert (call.to, call.priority) == ("owner", "urgent")
    text = words(write(RED, call))
    for part in ("root cause", "Usage:", "Return:", "Alternative:"):
        assert part in text


@pytest.mark.requirement("S5-27", "C-27")
def test_day_3_is_a_plan_whose_price_needs_approval(write: Write):
    plan, pricing = on_day(RED, 3)
    assert (plan.channel, plan.needs_approval) == ("crm", False)
    assert (pricing.channel, pricing.intent, pricing.needs_approval) == ("crm", "offer", True)
    text = words(write(RED, plan))
    assert "What we change" in text
    assert "A new use case" in text
    assert "Pricing adjustment" in words(write(RED, pricing))


@pytest.mark.requirement("S5-28", "C-25")
def test_day_7_is_an_executive_call_for_high_value_accounts():
    call = the_step(RED, 7, "crm")
    assert call.to == "executive"
    assert holds(RED, call.condition, is_high_value=True)
    assert not holds(RED, call.condition, is_high_value=False)


@pytest.mark.requirement("S5-29")
def test_day_14_is_a_decision_to_commit_or_to_let_go_gracefully(write: Write):
    text = words(write(RED, the_step(RED, 14, "crm")))
    assert "Commit:" in text
    assert "Let go:" in text
    assert RED.steps[-1].step == "decision"


@pytest.mark.requirement("S5-29", "C-27")
def test_a_bad_fit_is_let_go_without_a_save_play():
    assert exit_reason(RED, is_bad_fit=True, severity=3) == "graceful_exit"
    assert exit_reason(RED, is_bad_fit=None, severity=3) is None
    assert exit_reason(RED, is_bad_fit=None, severity=0) == "recovered"


@pytest.mark.requirement("C-27")
@pytest.mark.parametrize("playbook", SHIPPED, ids=lambda playbook: playbook.playbook)
def test_whatever_offers_something_needs_approval(playbook: Playbook):
    assert all(step.needs_approval for step in playbook.steps if step.intent == "offer")


# Renewal ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-30")
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
    present = the_step(RENEWAL, -60, "crm")
    assert present.to == "owner"
    assert "next tier above pro" in words(write(RENEWAL, present, tier="pro"))


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
    assert exit_reason(RENEWAL, renewal_done=False, has_cancellation_request=True) == "cancellation_requested"
    assert exit_reason(RENEWAL, renewal_done=False, has_cancellation_request=False) is None


# What customers read ------------------------------------------------------------------------------------------------


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
    for part in (message.body_html or "", message.body_text):
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
