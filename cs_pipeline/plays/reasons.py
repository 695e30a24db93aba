"""Every reason why an account does not enter, a play ends, or an action is not taken; and what each means, in words.

Rows of `cs.enrolments` and `cs.actions` hold the reasons, so none is ever renamed. When each is given is decided where
it is given. This module imports nothing.
"""

from collections.abc import Mapping

CHURNED = "churned"
RETURNED = "returned"
OUTRANKED = "outranked"
HOLD_OUT = "hold_out"
CIRCUIT_BREAKER = "circuit_breaker"
KILL_SWITCH = "kill_switch"
STEP_BEFORE = "step_before"
JOINED = "joined"
MISSED = "missed"
RESTORED = "restored"
NO_RECIPIENT = "no_recipient"
QUIET_HOURS = "quiet_hours"
STALE_DATA = "stale_data"
FREQUENCY_CAP = "frequency_cap"

REFUSED: Mapping[str, str] = {
    "unknown_account": "the warehouse has no such account",
    "trigger": "the playbook's trigger.when does not hold for this trigger",
    "audience": "the account is not in the playbook's audience",
    KILL_SWITCH: "a person has stopped the playbook or the account",
    "reentry": "the last play of this playbook ended less than reentry_after_days ago",
    "family": "the account, or that subscription, is in another play of the family, of the same or a higher priority",
    HOLD_OUT: "the account is in the playbook's hold-out, and would have been enrolled",
    CIRCUIT_BREAKER: "the batch was so large that a person was asked, who dismissed it",
}
"""Why an account does not enter, beside the reasons for which the play would have ended at once."""

ENDED: Mapping[str, str] = {
    CHURNED: "the account has left",
    RETURNED: "the account has come back",
    "renewal_moved": "the renewal is on another date now, or on none",
    OUTRANKED: "a play of the family with a higher priority began",
}
"""Why a play ends, beside the exit conditions of its playbook."""

NOT_ASKED_FOR_MORE: Mapping[str, str] = {
    "struggling": "asks or offers; the customer struggles with what it has: "
    "`severity >= 2 or open_critical_tickets > 0`",
    "open_complaints": "asks or offers; complaints are unresolved: `open_complaints > 0`",
    "low_usage": "asks or offers; the product is hardly used: "
    "`days_since_last_login > 7 or feature_adoption_ratio < 0.4`",
    "financial_difficulty": "asks or offers; invoices are overdue: `overdue_invoices > 0`",
    "just_onboarded": "asks or offers; it is too soon: `tenure_days <= 30`",
}
"""Why a customer is not asked for more, each with the condition that `delivery.upsell_guards` asks."""

GUARDED: Mapping[str, str] = {
    "unsubscribed": "the person asked for no more e-mail",
    "bounced": "mail to the address came back, or was reported as spam",
    "by_hand": "somebody of ours put the address on the list of suppressions",
    "bad_fit": "asks or offers; the product does not fit this customer",
    **NOT_ASKED_FOR_MORE,
}
"""Why an action is suppressed when it is due, by the facts of that moment."""

HELD_OR_DROPPED: Mapping[str, str] = {
    "condition": "the step's `when` does not hold today",
    "stale": "it was not taken within stale_after_days of being due",
    "not_approved": "it waited for approval until it was stale",
    KILL_SWITCH: "a person has stopped it; it is held, and suppressed once it is stale",
    JOINED: "the account got the same mail about another of its contracts within thirty days",
    MISSED: "nobody was there to take it in time, like many others; it waits for a person: `cs-pipeline action missed`",
    "channel_paused": "the channel takes nothing from us at the moment; it goes out when that is over",
    "told_in_slack": "it was told in Slack",
    NO_RECIPIENT: "nobody can receive it",
    "not_rendered": "its message cannot be written",
}
"""Why an action is held or suppressed for what is in the outbox or in its playbook."""

POSTPONED: Mapping[str, str] = {
    QUIET_HOURS: "it is night, a week-end or a holiday where the reader is; it goes out when the day begins there",
    FREQUENCY_CAP: "the person or the account has got enough mail in seven days; it waits for room until it is stale",
    STEP_BEFORE: "a step before it, to the same person, is not out yet or went out late; it keeps its distance",
    STALE_DATA: "the score behind the play is held, its sources are old; it waits for a new one until it is stale",
}
"""Why a planned action waits; one that becomes stale meanwhile is suppressed with it."""

DECIDED: Mapping[str, str] = {
    "on_hold": "a person wants to look first; it goes on when somebody approves it",
    "cancelled_by_hand": "a person has cancelled it",
    RESTORED: "the database was restored from a backup, since which it may have gone out",
    "resend": "a person wants it to be sent again; it goes out also when its play is over",
}
"""What a person's decision leaves on an action."""

MEANINGS: Mapping[str, str] = {
    **REFUSED,
    **HELD_OR_DROPPED,  # `kill_switch` of an action; of an account that did not enter, REFUSED says it
    **GUARDED,
    **POSTPONED,
    **DECIDED,
    **ENDED,
}


def meaning(reason: str, exit_conditions: Mapping[str, str] | None = None) -> str:
    """The meaning of `reason` on an action or a play; of a playbook's exit, its condition.

    `exit_conditions` are those of the playbook, by reason.
    """
    if reason not in MEANINGS and exit_conditions and reason in exit_conditions:
        return f"the play ends when {exit_conditions[reason]}"
    return MEANINGS.get(reason, reason.replace("_", " "))


def meaning_of_refusal(reason: str, exit_conditions: Mapping[str, str]) -> str:
    """The meaning of `reason` on an enrolment that was refused."""
    return REFUSED.get(reason) or meaning(reason, exit_conditions)
