"""Say what the rules of plays ask of the place where enrolments and their actions are kept.

One set of rules decides real and simulated plays: real ones are kept in PostgreSQL (`postgres_store`), simulated ones
in memory (`simulation.memory_store`). No rule belongs here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pandas as pd

from cs_pipeline.plays.playbooks.schema import Playbook

ABOUT_COLUMNS = ("account_id", "subject_id", "user_id")
"""What a play is about: the account, and of it one subscription or one user where it is about that alone."""
STATE_COLUMNS = ("is_stopped", "is_too_soon", "is_taken")
SIBLING_COLUMNS = (
    "enrolment_id", "action_id", "step", "channel", "role", "recipient", "status", "due_at", "sent_at", "is_resent",
)  # fmt: skip
PLANNED_COLUMNS = (
    "action_key", "enrolment_id", "playbook", "step", "account_id", "channel", "role", "recipient",
    "recipient_user_id", "intent", "due_at", "expires_at", "status", "reason",
)  # fmt: skip
MAILED_COLUMNS = ("account_id", "playbook", "step", "subscription_id", "due_at")


class PlayStore(Protocol):
    """Keeps enrolments and their actions."""

    def state(self, playbook: Playbook, offered: pd.DataFrame, now: datetime) -> pd.DataFrame:
        """What is known of each trigger (ABOUT_COLUMNS), on the index of `offered`: STATE_COLUMNS.

        `is_stopped`: a person has stopped the playbook or the account. `is_too_soon`: its last play of this playbook
        ended less than reentry_after_days ago. `is_taken`: the account, or that subscription or user, is in a play of
        the family with the same or a higher priority.
        """
        ...

    def in_family(self, playbook: Playbook, entering: pd.DataFrame) -> list[int]:
        """Active enrolments of the playbook's family that stand in the way of `entering` (ABOUT_COLUMNS).

        Plays about two subscriptions, or two users, of an account do not stand in each other's way.
        """
        ...

    def enrol(self, playbook: Playbook, decided: pd.DataFrame, now: datetime) -> pd.Series:
        """Keep every decision; returns the ids of the enrolments on the index of `decided`.

        `decided` has the columns of a trigger (`dispatch.UNDECIDED_COLUMNS`), reason (missing for who enters), and
        owner_email and severity of the account.
        """
        ...

    def plan(self, actions: pd.DataFrame) -> None:
        """Keep new actions (columns `planning.ACTION_COLUMNS` and definition, a Step)."""
        ...

    def end(self, reasons: pd.Series, now: datetime) -> None:
        """End active enrolments and cancel what is left of them; `reasons` by enrolment id."""
        ...

    def siblings(self, enrolment_ids: Sequence[int]) -> pd.DataFrame:
        """All actions of enrolments as they stand, in the order in which they were planned: SIBLING_COLUMNS."""
        ...

    def mailed(self, account_ids: Sequence[str], playbooks: Sequence[str]) -> pd.DataFrame:
        """When steps about a subscription that went out, or may have, were due at the latest: MAILED_COLUMNS."""
        ...
