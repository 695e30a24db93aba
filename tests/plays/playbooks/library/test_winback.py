"""Win-back after the loss: step by step against the source."""

import pytest

from cs_pipeline.plays.playbooks.schema import Playbook
from tests.plays.playbooks.library.reading import PLAYBOOKS, Write, exit_reason, starts, told, words

WINBACK, YEARLY = PLAYBOOKS["winback"], PLAYBOOKS["winback_yearly"]


@pytest.mark.requirement("S4-95", "C-24")
def test_winback_is_for_customers_who_have_left_and_ends_when_they_return():
    assert starts(WINBACK, anchor="churn")
    assert not starts(WINBACK, anchor="signup")
    assert WINBACK.for_former_customers
    assert WINBACK.family != PLAYBOOKS["save_offer"].family


@pytest.mark.requirement("S4-95", "S4-96", "S4-97", "S4-98")
def test_winback_has_the_days_of_the_source_and_offers_two_days_after_the_news():
    assert sorted({step.day for step in WINBACK.steps if step.intent == "inform"}) == [0, 30, 90, 180]
    assert sorted({step.day for step in WINBACK.steps if step.intent == "offer"}) == [32, 92, 182]


@pytest.mark.requirement("S4-95")
def test_on_the_day_there_is_a_survey_a_request_for_an_interview_and_a_record_of_issues(write: Write):
    survey = told(WINBACK, "cancellation_survey", write, "Three questions", "Choose a time")
    assert (survey.day, survey.channel) == (0, "email")
    record = told(WINBACK, "document_issues", write, "Exit interview", "Feedback collection", "Issue documentation")
    assert (record.day, record.channel, record.to) == (0, "crm", "owner")


@pytest.mark.requirement("S4-96")
def test_after_30_days_come_a_check_in_a_story_what_was_solved_and_a_special_offer(write: Write):
    told(WINBACK, "thirty_day_check_in", write, "How do you get on?", "What others have reached")
    told(WINBACK, "problem_update", write, "Problem-resolution update")
    told(WINBACK, "special_offer", write, "we have put together an offer")


@pytest.mark.requirement("S4-97")
def test_after_90_days_come_updates_features_a_case_study_and_a_trial(write: Write):
    told(WINBACK, "product_updates", write, "Product updates and new features", "the stories of customers in Logistics")
    told(WINBACK, "trial_offer", write, "free trial")


@pytest.mark.requirement("S4-98")
def test_after_180_days_come_changes_positioning_a_person_and_an_offer_with_a_date(write: Write):
    told(WINBACK, "significant_changes", write, "What has changed", "Comparing us with what you use today")
    told(WINBACK, "personal_outreach", write, "Personal outreach", "Competitive positioning")
    told(WINBACK, "limited_time_offer", write, "until the end of next month")


@pytest.mark.requirement("S4-96", "S4-97", "S4-98", "C-27")
@pytest.mark.parametrize("name", ["special_offer", "trial_offer", "limited_time_offer"])
def test_every_offer_waits_for_a_person(name: str):
    assert WINBACK.step_named(name).needs_approval


@pytest.mark.requirement("S4-99")
def test_every_year_come_a_greeting_insights_the_platform_and_an_open_invitation(write: Write):
    assert starts(YEARLY, anchor="churn_anniversary")
    assert YEARLY.for_former_customers
    (greeting,) = YEARLY.steps
    text = words(write(YEARLY, greeting))
    for part in (
        "A greeting",
        "What we see move in Logistics",
        "How far the platform has come",
        "The invitation stands",
    ):
        assert part in text


@pytest.mark.requirement("S3-46")
@pytest.mark.parametrize("playbook", [WINBACK, YEARLY], ids=lambda each: each.playbook)
def test_who_was_let_go_well_is_not_called_back(playbook: Playbook):
    assert exit_reason(playbook, is_bad_fit=True) == "bad_fit"
