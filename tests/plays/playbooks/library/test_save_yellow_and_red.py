"""The save plays of the yellow and the red band: step by step against the source."""

from pathlib import Path

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.plays.playbooks.library.reading import (
    PLAYBOOKS,
    Write,
    exit_reason,
    holds,
    is_for,
    on_day,
    starts,
    the_step,
    words,
)

YELLOW, RED = PLAYBOOKS["yellow_adoption"], PLAYBOOKS["red_save"]


@pytest.mark.requirement("S5-20", "S5-21", "S5-22", "S5-23", "S5-24")
def test_the_yellow_play_has_exactly_the_days_of_the_source():
    assert [step.day for step in YELLOW.steps] == [1, 3, 5, 10, 14]


@pytest.mark.requirement("S5-25", "S5-26", "S5-27", "S5-28", "S5-29")
def test_the_red_play_has_exactly_the_days_of_the_source():
    assert sorted({step.day for step in RED.steps}) == [0, 1, 3, 7, 14]


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
    assert not is_for(playbook, tenure_days=30, tier="pro")
    assert is_for(playbook, tenure_days=31, tier="pro")
    assert is_for(playbook, tenure_days=31, tier=None)


@pytest.mark.requirement("C-23")
@pytest.mark.parametrize("playbook", [YELLOW, RED], ids=["yellow", "red"])
def test_one_motion_is_for_one_segment_and_enterprise_accounts_have_the_levels(playbook: Playbook):
    assert not is_for(playbook, tenure_days=31, tier="enterprise")


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
