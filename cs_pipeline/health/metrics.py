"""The metrics that a score model may use: the numeric columns of the mart with one row per account and week.

Here stands what a person may need to read or write about a metric: its unit and its name in words. How it is
computed stands in the mart.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "ratio",  # 0.8 is 80 %
    "count",
    "days",
    "hours",
    "minutes",
    "flag",  # 0 no, 1 yes
    "level",  # 0 none, 1 some, 2 critical
    "ten",  # an answer on a scale of 0 to 10
    "money",
]


@dataclass(frozen=True)
class Metric:
    """A numeric column of `fct_account_weeks`; null there means missing."""

    name: str
    unit: Unit
    words: str
    source: str
    """Table of the source contract that its values come from."""

    @property
    def values(self) -> tuple[float, ...] | None:
        """All values it can take, where these are few."""
        return {"flag": (0.0, 1.0), "level": (0.0, 1.0, 2.0)}.get(self.unit)


def _catalogue(**sources: tuple[tuple[str, Unit, str], ...]) -> dict[str, Metric]:
    return {
        name: Metric(name, unit, words, source) for source, metrics in sources.items() for name, unit, words in metrics
    }


METRICS = _catalogue(
    accounts=(("tenure_days", "days", "days since signup"),),
    subscriptions=(
        ("mrr", "money", "monthly recurring revenue"),
        ("arr", "money", "annual recurring revenue"),
        ("seats", "count", "seats bought"),
        ("days_to_renewal", "days", "days to renewal"),
        ("mrr_change_90d", "ratio", "change of recurring revenue in 90 days"),
    ),
    events=(
        ("active_users_7d", "count", "active users in 7 days"),
        ("active_users_30d", "count", "active users in 30 days"),
        ("seat_utilisation", "ratio", "seats in use"),
        ("core_features_used", "count", "core features in use"),
        ("features_used_30d", "count", "features used in 30 days"),
        ("feature_adoption_ratio", "ratio", "features in use"),
        ("login_days_30d", "count", "days with a login in 30 days"),
        ("login_frequency", "ratio", "days with a login"),
        ("logins_7d", "count", "logins in 7 days"),
        ("logged_in_7d", "flag", "logged in within 7 days"),
        ("days_since_last_login", "days", "days since the last login"),
        ("days_since_last_use", "days", "days since the last use"),
        ("events_7d", "count", "events in 7 days"),
        ("events_30d", "count", "events in 30 days"),
        ("events_previous_30d", "count", "events in the 30 days before"),
        ("events_per_seat_30d", "count", "events per seat in 30 days"),
        ("usage_growth", "ratio", "growth of usage"),
        ("api_calls_30d", "count", "API calls in 30 days"),
        ("campaigns_sent_30d", "count", "campaigns sent in 30 days"),
        ("active_automations", "count", "active automations"),
        ("minutes_7d", "minutes", "minutes of use in 7 days"),
        ("minutes_30d", "minutes", "minutes of use in 30 days"),
        ("community_posts_90d", "count", "community posts in 90 days"),
    ),
    users=(("users_total", "count", "users"),),
    features=(("features_available", "count", "features available"),),
    email_events=(
        ("emails_sent_90d", "count", "e-mails sent in 90 days"),
        ("opened_last_3_emails", "flag", "opened the last 3 e-mails"),
        ("email_open_rate_90d", "ratio", "e-mails opened in 90 days"),
        ("email_click_rate_90d", "ratio", "e-mails clicked in 90 days"),
        ("email_reply_rate_90d", "ratio", "e-mails answered in 90 days"),
    ),
    event_attendance=(
        ("attended_training_ever", "flag", "attended a training"),
        ("attended_training_90d", "flag", "attended a training in 90 days"),
        ("trainings_attended_90d", "count", "trainings attended in 90 days"),
    ),
    feedback=(
        ("feature_requests_90d", "count", "feature requests in 90 days"),
        ("feedback_complaints_90d", "count", "complaints in 90 days"),
        ("open_complaints", "count", "open complaints"),
    ),
    touchpoints=(
        ("days_since_last_touchpoint", "days", "days since the last touchpoint"),
        ("days_since_last_qbr", "days", "days since the last business review"),
        ("missed_meetings_90d", "count", "missed meetings in 90 days"),
    ),
    survey_responses=(
        ("nps_response", "ten", "NPS answer"),
        ("nps_responses_180d", "count", "NPS answers in 180 days"),
        ("csat_90d", "ten", "CSAT in 90 days"),
        ("ces_90d", "ten", "CES in 90 days"),
    ),
    value_log=(
        ("value_delivered_365d", "money", "value delivered in a year"),
        ("value_ratio", "ratio", "value delivered per price"),
    ),
    invoices=(
        ("overdue_invoices", "count", "overdue invoices"),
        ("overdue_amount", "money", "overdue amount"),
        ("paid_on_time_ratio_365d", "ratio", "invoices paid on time in a year"),
    ),
    tickets=(
        ("open_tickets", "count", "open tickets"),
        ("open_critical_tickets", "count", "open critical tickets"),
        ("open_noncritical_tickets", "count", "open non-critical tickets"),
        ("worst_open_ticket", "level", "worst open ticket"),
        ("tickets_7d", "count", "tickets in 7 days"),
        ("tickets_30d", "count", "tickets in 30 days"),
        ("tickets_previous_30d", "count", "tickets in the 30 days before"),
        ("ticket_spike_ratio", "ratio", "tickets against the 30 days before"),
        ("first_response_hours_30d", "hours", "hours to the first response"),
    ),
    onboarding_progress=(
        ("onboarding_steps_completed", "count", "onboarding steps completed"),
        ("onboarding_steps_total", "count", "onboarding steps"),
        ("hours_to_first_value", "hours", "hours to first value"),
    ),
)
