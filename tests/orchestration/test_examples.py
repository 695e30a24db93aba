"""The examples from marts to captured plays: data that nobody here wrote, some weeks of history and a live one.

How their rows come in, and what becomes of each oddity, is tested in tests/warehouse/test_example_*.py.
"""

from dataclasses import dataclass

import pytest

from tests.builders.example_history import WEEKS_OF_HISTORY, BroughtIn
from tests.builders.sample_history import History
from tests.conftest import BringInExample, LiveThroughExample


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How many accounts there are in the live week, and in which bands."""

    accounts: int
    bands: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Expected(Spread):
    """What an example has in its live week."""

    missing: str
    """Metrics whose tables it does not have."""
    known: str
    """Some of those whose tables it has."""
    part: Spread | None = None
    """Where only a part of it is brought in."""


NO_TICKETS = "open_tickets, open_critical_tickets, worst_open_ticket, tickets_7d, tickets_30d, first_response_hours_30d"
NO_SURVEYS = "nps_response, nps_responses_180d, ces_90d"
NO_EMAILS = "emails_sent_90d, opened_last_3_emails, email_open_rate_90d"
NO_MEETINGS = "attended_training_ever, trainings_attended_90d, days_since_last_touchpoint, missed_meetings_90d"
NO_FEEDBACK = "feature_requests_90d, feedback_complaints_90d, open_complaints"
NO_INVOICES = "overdue_invoices, overdue_amount, paid_on_time_ratio_365d"
NO_STEPS = "onboarding_steps_completed, onboarding_steps_total, next_onboarding_step, hours_to_first_value"
NO_FEATURES = "core_features_used, features_available, feature_adoption_ratio, top_unused_core_feature"
NO_USERS = "active_users_7d, active_users_30d, users_total, seat_utilisation, power_user_id"
NO_VALUE = "value_delivered_365d, value_ratio"
NO_REQUESTS = "has_cancellation_request"
NOWHERE = f"{NO_SURVEYS}, {NO_EMAILS}, {NO_MEETINGS}"

EXAMPLES = {
    "oulad": Expected(
        accounts=332,
        bands={"Green": 296, "Yellow": 18, "Red": 18},
        missing=f"{NOWHERE}, {NO_TICKETS}, {NO_FEEDBACK}, {NO_INVOICES}, {NO_VALUE}, {NO_REQUESTS}",
        known="seat_utilisation, core_features_used, logged_in_7d, days_to_renewal, onboarding_steps_completed",
    ),
    "churnsim": Expected(
        accounts=340,
        bands={"Green": 275, "Yellow": 65},
        part=Spread(accounts=67, bands={"Green": 52, "Yellow": 15}),
        missing=f"{NOWHERE}, {NO_TICKETS}, {NO_FEEDBACK}, {NO_STEPS}, {NO_REQUESTS}",
        known="seat_utilisation, core_features_used, logged_in_7d, overdue_invoices, value_delivered_365d",
    ),
    "ravenstack": Expected(
        accounts=424,
        bands={"Green": 334, "Yellow": 61, "Red": 29},
        missing=f"{NOWHERE}, {NO_USERS}, {NO_FEATURES}, {NO_INVOICES}, {NO_VALUE}, {NO_STEPS}",
        known="login_days_30d, features_used_30d, worst_open_ticket, open_complaints, has_cancellation_request",
    ),
}

every_example = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.xdist_group(name), pytest.mark.slow(seconds=8)]) for name in EXAMPLES],
)


@pytest.fixture
def lived(name: str, live_through_example: LiveThroughExample) -> History:
    return live_through_example(name)


@pytest.fixture
def example(name: str, bring_in_example: BringInExample) -> BroughtIn:
    return bring_in_example(name)


@pytest.fixture
def spread(example: BroughtIn) -> Spread:
    expected = EXAMPLES[example.name]
    return expected if example.is_whole or not expected.part else expected.part


@every_example
@pytest.mark.requirement("S5-10")
def test_every_active_account_has_a_row_in_every_week(lived: History, example: BroughtIn, spread: Spread) -> None:
    assert lived.rows(
        "select count(distinct week), min(week), max(week), count(*) - (select count(*) from marts.fct_account_weeks) "
        "from cs.health_scores where is_active"
    ) == [(WEEKS_OF_HISTORY + 1, example.first_week, example.live_week, 0)]
    assert lived.count("marts.fct_account_weeks", f"week = '{example.live_week}'") == spread.accounts


@every_example
@pytest.mark.requirement("S5-19")
def test_accounts_spread_over_the_bands(lived: History, example: BroughtIn, spread: Spread) -> None:
    found = lived.rows(
        f"select band, count(*) from cs.health_scores where is_active and week = '{example.live_week}' "
        "group by 1 order by 1"
    )
    assert found == sorted(spread.bands.items())
    assert lived.count("cs.health_scores", "is_active and status = 'scored' and coverage < 0.5") == 0


@every_example
@pytest.mark.requirement("C-13")
def test_metrics_of_absent_tables_are_missing_and_others_are_known(lived: History, example: BroughtIn) -> None:
    def values(metrics: str) -> dict[str, object]:
        names = metrics.split(", ")
        (counts,) = lived.rows(f"select {', '.join(f'count({name})' for name in names)} from marts.fct_account_weeks")
        return dict(zip(names, counts, strict=True))

    expected = EXAMPLES[example.name]
    assert values(expected.missing) == dict.fromkeys(expected.missing.split(", "), 0)
    assert all(values(expected.known).values())


@every_example
@pytest.mark.requirement("C-12")
def test_history_starts_nothing_and_the_live_week_starts_plays(lived: History, example: BroughtIn) -> None:
    assert lived.count("cs.triggers", f"kind in ('score_change', 'renewal_window') and week = '{example.live_week}'")
    assert lived.count("cs.triggers", f"week < '{example.live_week}'") == 0
    assert lived.count("cs.score_changes", f"origin = 'live' and week <> '{example.live_week}'") == 0
    assert lived.count("cs.enrolments", "status <> 'refused'")
    assert lived.count("cs.enrolments", "status = 'refused' and reason is null") == 0


@every_example
def test_what_falls_due_is_captured_once_and_the_rest_says_why_not(lived: History, example: BroughtIn) -> None:
    assert lived.count("cs.captured_messages") + lived.count("cs.crm_tasks")
    assert lived.count("cs.actions", "status = 'sent' and delivery <> 'capture'") == 0
    assert lived.count("cs.actions", "status in ('claimed', 'uncertain')") == 0
    assert lived.count("cs.actions", "status = 'failed' and reason <> 'no_recipient'") == 0
    assert lived.count("cs.actions", "status in ('failed', 'suppressed', 'cancelled') and reason is null") == 0
    assert lived.count("(select action_id from cs.action_attempts group by 1 having count(*) > 1) as twice") == 0


@pytest.mark.xdist_group("ravenstack")
@pytest.mark.slow(seconds=8)
def test_where_no_user_is_known_mail_to_customers_fails_with_the_reason_and_the_rest_remains(
    live_through_example: LiveThroughExample,
) -> None:
    lived = live_through_example("ravenstack")
    assert lived.count("cs.actions", "channel = 'email' and status in ('sent', 'planned')") == 0
    assert lived.count("cs.actions", "channel = 'email' and status = 'failed' and reason = 'no_recipient'")
    assert lived.count("cs.captured_messages", "channel = 'slack'")
    assert lived.count("cs.crm_tasks")
