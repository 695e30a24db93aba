"""Onboarding, per tier: step by step against the sources."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import PLAYBOOKS, Write, days, holds, is_for, starts, the_step, told, words

ONBOARDING, ENTERPRISE = PLAYBOOKS["onboarding_sequence"], PLAYBOOKS["onboarding_enterprise"]


@pytest.mark.requirement("S5-04", "S5-05", "S5-06", "S5-07", "S5-08", "S5-09")
def test_onboarding_has_exactly_the_days_of_the_source():
    assert [step.day for step in ONBOARDING.steps] == [0, 1, 3, 7, 14, 30]


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


@pytest.mark.requirement("C-21", "S3-32")
def test_one_task_at_a_time_is_for_starter_and_pro_and_the_led_onboarding_for_enterprise():
    for tier, playbook in (
        ("starter", ONBOARDING),
        ("pro", ONBOARDING),
        (None, ONBOARDING),
        ("enterprise", ENTERPRISE),
    ):
        assert [each for each in (ONBOARDING, ENTERPRISE) if is_for(each, tier=tier)] == [playbook]
        assert starts(playbook, anchor="signup")
        assert not starts(playbook, anchor="churn")


@pytest.mark.requirement("C-21")
def test_the_welcome_of_an_enterprise_account_says_what_to_expect_and_not_one_task(write: Write):
    text = words(write(ENTERPRISE, ENTERPRISE.step_named("what_to_expect")))
    assert "Your one task" not in text
    for part in ("What to expect", "Week 1: setup complete", "kick-off call of 30 to 45 minutes"):
        assert part in text


@pytest.mark.requirement("S3-34")
def test_before_the_kick_off_there_is_a_welcome_a_manager_the_goals_and_a_plan(write: Write):
    welcome = ENTERPRISE.step_named("what_to_expect")
    assert (welcome.day, welcome.channel, welcome.to) == (0, "email", "point_of_contact")
    assert told(ENTERPRISE, "assign_manager", write, "Assign a dedicated CS manager").to == "manager"
    parts = ("goals from the sales handoff", "custom onboarding plan", "ship weekly reports")
    prepare = told(ENTERPRISE, "prepare_kickoff", write, *parts)
    assert (prepare.day, prepare.to) == (0, "owner")


@pytest.mark.requirement("S3-35")
def test_the_kick_off_call_has_the_five_points_and_the_length_of_the_source(write: Write):
    call = told(
        ENTERPRISE,
        "kickoff_call",
        write,
        "30 to 45 minutes",
        "Introductions and roles",
        "Confirm goals and success criteria",
        "implementation timeline",
        "expectations and next steps",
        "Schedule the follow-ups",
    )
    assert (call.day, call.to, len(call.checklist)) == (1, "owner", 5)


@pytest.mark.requirement("S3-36")
@pytest.mark.parametrize(
    ("step", "part"),
    [
        ("review_and_adjust", "Week 1 is reached when the setup is complete and the first task is done"),
        ("team_enablement", "Week 2 is reached when the team is trained and using it daily"),
        ("three_week_review", "Week 3 is reached when the advanced features are introduced"),
        ("strategic_planning", "Week 4 ends with a business review that addresses their concerns"),
    ],
)
def test_every_week_says_when_it_is_reached(step: str, part: str, write: Write):
    told(ENTERPRISE, step, write, part)


JOURNEY = [  # day, step, and the four points of the source
    pytest.param(1, "welcome_and_kickoff", ["Welcome call", "Success planning session", "Technical setup begins",
        "Resource sharing"], marks=pytest.mark.requirement("S4-22", "S4-08")),
    pytest.param(2, "technical_implementation", ["Domain authentication", "Integration setup", "Data migration",
        "User provisioning"], marks=pytest.mark.requirement("S4-23")),
    pytest.param(4, "initial_training", ["Platform overview", "Basic feature training", "First campaign launch",
        "Quick-wins identification"], marks=pytest.mark.requirement("S4-24")),
    pytest.param(6, "review_and_adjust", ["Progress check", "Issue resolution", "Additional training",
        "Weekend resources"], marks=pytest.mark.requirement("S4-25")),
    pytest.param(8, "advanced_features", ["Automation setup", "Segmentation training", "Template customisation",
        "A/B testing introduction"], marks=pytest.mark.requirement("S4-26")),
    pytest.param(11, "team_enablement", ["Team training sessions", "Role-based learning", "Best-practices workshop",
        "Q&A sessions"], marks=pytest.mark.requirement("S4-27", "S4-11")),
    pytest.param(14, "two_week_review", ["Two-week assessment", "Success-metrics review", "Feedback collection",
        "Next-phase planning"], marks=pytest.mark.requirement("S4-28")),
    pytest.param(15, "performance_tuning", ["Campaign optimisation", "Workflow refinement", "Analytics deep-dive",
        "ROI tracking setup"], marks=pytest.mark.requirement("S4-29", "S4-11")),
    pytest.param(18, "integration_expansion", ["Additional integrations", "API utilisation", "Custom workflows",
        "Advanced automation"], marks=pytest.mark.requirement("S4-30")),
    pytest.param(21, "three_week_review", ["Three-week checkpoint", "Outcome measurement", "Expansion opportunities",
        "Success celebration"], marks=pytest.mark.requirement("S4-31")),
    pytest.param(22, "independence_building", ["Self-service training", "Documentation review",
        "Community introduction", "Peer connections"], marks=pytest.mark.requirement("S4-32")),
    pytest.param(26, "strategic_planning", ["Long-term goals", "Growth roadmap", "Feature-roadmap alignment",
        "Success-metrics definition"], marks=pytest.mark.requirement("S4-33")),
    pytest.param(30, "graduation", ["Onboarding completion", "Success certification", "Ongoing support plan",
        "Celebration and recognition"], marks=pytest.mark.requirement("S4-34")),
]  # fmt: skip


@pytest.mark.requirement("C-19")
@pytest.mark.parametrize(("day", "step", "points"), JOURNEY)
def test_every_block_of_the_journey_is_a_task_with_the_points_of_the_source(
    day: int, step: str, points: list[str], write: Write
):
    task = told(ENTERPRISE, step, write, *points)
    assert (task.day, task.channel, task.to) == (day, "crm", "owner")
    assert sum(point.startswith(tuple(points)) for point in task.checklist) == 4


@pytest.mark.requirement("S4-34", "C-18")
def test_the_journey_ends_on_day_30_and_has_no_day_29():
    assert max(days(ENTERPRISE)) == 30
    assert 29 not in days(ENTERPRISE)


@pytest.mark.requirement("C-26")
def test_on_day_21_opportunities_are_noted_and_nothing_is_asked():
    assert {step.intent for step in ENTERPRISE.steps} == {"inform", "educate"}


@pytest.mark.requirement("S3-20")
@pytest.mark.parametrize("playbook", [ONBOARDING, ENTERPRISE], ids=["starter and pro", "enterprise"])
def test_onboarding_checks_in_on_days_7_14_and_30(playbook: Playbook):
    assert {7, 14, 30} <= {step.day for step in playbook.steps if step.channel == "email"}


@pytest.mark.requirement("S4-35", "S4-36", "S4-37", "S4-38", "S4-39", "S4-40", "C-20")
def test_the_five_milestones_are_those_of_the_source_on_their_days():
    assert [(each.day, each.milestone, list(each.criteria), each.responsible) for each in ENTERPRISE.milestones] == [
        (1, "Account Activated", ["Login completed", "Profile setup", "Team invited"], "CSM"),
        (7, "First Success", ["First campaign sent", "Contacts imported", "Integration connected"], "Customer"),
        (14, "Core Adoption", ["Automation created", "Segmentation active", "Analytics reviewed"], "Joint"),
        (21, "Value Realized", ["KPI improvement", "Time savings", "Team adoption"], "Customer"),
        (30, "Onboarding Complete", ["All features explored", "Success metrics met", "Satisfaction confirmed"], "CSM"),
    ]


@pytest.mark.requirement("S4-41")
def test_the_csm_schedules_plans_trains_and_reviews(write: Write):
    told(ENTERPRISE, "prepare_kickoff", write, "Schedule the kick-off call")
    told(ENTERPRISE, "welcome_and_kickoff", write, "success plan")
    told(ENTERPRISE, "team_enablement", write, "training sessions")
    told(ENTERPRISE, "two_week_review", write, "Milestone review")


@pytest.mark.requirement("S4-42")
def test_the_customer_is_told_what_their_part_is(write: Write):
    parts = ("Complete the setup", "attend the training", "launch your first campaigns", "tell us what you think")
    told(ENTERPRISE, "what_to_expect", write, *parts, "define with us what success means")


@pytest.mark.requirement("S4-43")
def test_what_is_automated_welcomes_tells_usage_notifies_and_asks_for_feedback(write: Write):
    automated = [step for step in ENTERPRISE.steps if step.channel in ("email", "slack")]
    assert [step.step for step in automated] == [
        "what_to_expect", "new_customer", "first_week", "case_study", "thirty_days",
    ]  # fmt: skip
    told(ENTERPRISE, "first_week", write, "11 people active this week")
    told(ENTERPRISE, "thirty_days", write, "Reply with one sentence")
    assert ENTERPRISE.step_named("new_customer").to == "owner"


@pytest.mark.requirement("S4-178", "C-19")
def test_what_the_source_declares_of_onboarding_is_kept():
    declared = ENTERPRISE.declared
    assert declared is not None
    assert (declared.duration_days, declared.owner, declared.milestones) == (30, "CSM", 5)
    assert (declared.tasks, declared.automation_percent) == (47, 60)
