"""Check-ins and business reviews: who holds them with whom, against the sources."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import PLAYBOOKS, Write, exit_reason, is_for, starts, told, words

CALL, DAILY, AUTOMATED = PLAYBOOKS["check_in"], PLAYBOOKS["check_in_daily"], PLAYBOOKS["check_in_automated"]
REVIEW = PLAYBOOKS["business_review"]


@pytest.mark.requirement("C-22", "S3-30", "S3-31", "S3-32", "S4-08")
@pytest.mark.parametrize(
    ("tier", "every_days", "expected"),
    [
        ("enterprise", 14, CALL),
        ("pro", 30, CALL),
        ("enterprise", 1, DAILY),
        ("pro", 1, DAILY),
        ("starter", 90, AUTOMATED),
        ("starter", 1, AUTOMATED),
    ],
)
def test_exactly_one_check_in_is_held_and_with_starter_accounts_the_automated(
    tier: str, every_days: int, expected: Playbook
):
    account = {"tier": tier, "tenure_days": 60, "has_open_save_play": False}
    trigger = {"cadence": "check_in", "every_days": every_days}
    found = [each for each in (CALL, DAILY, AUTOMATED) if starts(each, **trigger) and is_for(each, **account)]
    assert found == [expected]


@pytest.mark.requirement("C-22", "S3-32")
def test_starter_accounts_are_written_to_once_in_four_weeks_at_most_and_never_called():
    assert AUTOMATED.reentry_after_days == 28
    assert {step.channel for step in AUTOMATED.steps} == {"email"}
    assert not is_for(AUTOMATED, tier="starter", tenure_days=60, has_open_save_play=True)


@pytest.mark.requirement("S3-20", "S4-08")
def test_the_first_thirty_days_have_the_check_ins_of_onboarding_beside_the_daily_ones_of_a_trial():
    assert not is_for(CALL, tier="pro", tenure_days=30)
    assert not is_for(AUTOMATED, tier="starter", tenure_days=30, has_open_save_play=False)
    assert is_for(DAILY, tier="pro", tenure_days=3)


@pytest.mark.requirement("S4-70", "S4-72", "S4-74")
def test_a_check_in_says_why_it_is_due_and_what_to_ask(write: Write):
    (call,) = CALL.steps
    text = words(write(CALL, call, every_days=14, days_since_last_touchpoint=16))
    assert "A conversation every 14 days is due; the last one was 16 days ago." in text
    assert (call.channel, call.to) == ("crm", "owner")


@pytest.mark.requirement("S4-08", "S4-76")
def test_daily_is_one_task_for_the_five_days_of_a_week():
    (watch,) = DAILY.steps
    assert [point.partition(":")[0] for point in watch.checklist] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    ]  # fmt: skip


@pytest.mark.requirement("C-22")
def test_a_check_in_that_was_held_some_other_way_is_over():
    assert exit_reason(CALL, responded_since_enrolment=True) == "talked"


@pytest.mark.requirement("S3-22", "S3-30", "S3-37", "S4-17")
def test_a_business_review_is_scheduled_prepared_in_six_parts_and_followed_up(write: Write):
    assert starts(REVIEW, cadence="business_review", every_days=90)
    assert not starts(REVIEW, cadence="check_in", every_days=90)
    assert [step.step for step in REVIEW.steps] == ["schedule", "invitation", "prepare", "strategic_planning"]
    prepare = told(
        REVIEW,
        "prepare",
        write,
        "Review goals",
        "Usage analysis",
        "Value delivered",
        "Feedback loop",
        "Roadmap preview",
        "Action items",
    )
    assert len(prepare.checklist) == 6
    assert REVIEW.step_named("invitation").to == "executive_sponsor"


@pytest.mark.requirement("C-33")
def test_one_business_review_satisfies_all_sources():
    assert exit_reason(REVIEW, days_since_last_qbr=10) == "held"
    assert exit_reason(REVIEW, days_since_last_qbr=90) is None
    for days_left, expected in ((None, True), (149, True), (150, False), (190, False), (191, True)):
        assert is_for(REVIEW, tier="enterprise", days_to_renewal=days_left) == expected
    assert not is_for(REVIEW, tier="starter", days_to_renewal=100)
