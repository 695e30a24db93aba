"""Keep the enrolments and actions of a simulation in memory, as `cs.enrolments` and `cs.actions` would hold them.

The rules that ask it are those of real plays; that it answers them as PostgreSQL does is held by a test.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.plays.enrolment.play_store import ABOUT_COLUMNS, MAILED_COLUMNS, SIBLING_COLUMNS, STATE_COLUMNS
from cs_pipeline.plays.outbox.suppress import Postponed
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import NO_RECIPIENT

ENROLMENT_COLUMNS = (
    "playbook", "family", "priority", "account_id", "subject_id", "user_id", "anchor_on", "week", "owner",
    "severity",
    "enrolled_at", "status", "reason", "ended_at",
)  # fmt: skip
ACTION_COLUMNS = (
    "enrolment_id", "playbook", "family", "step", "account_id", "user_id", "owner", "channel", "role", "intent",
    "definition", "due_at", "expires_at", "needs_approval", "status", "reason", "recipient", "week", "sent_at",
)  # fmt: skip
TAKEN = ("taken", "for_approval")
"""States of an action that went out, or would have once a person had approved it."""


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype="object") for column in columns}, index=pd.RangeIndex(0))


@dataclass
class MemoryStore:
    """A `PlayStore` of one simulation: enrolments by their number, and the actions of them.

    `week` is the one that is played. An enrolment has the week whose end started it, an action the one after whose end
    it was decided on. An action ends as taken, for_approval, suppressed, failed or cancelled; planned ones are still
    to come. `refused` counts by week, playbook and reason. Nobody stops a playbook or an account.
    """

    week: date = date.min
    enrolments: pd.DataFrame = field(default_factory=lambda: _empty(ENROLMENT_COLUMNS))
    actions: pd.DataFrame = field(default_factory=lambda: _empty(ACTION_COLUMNS))
    refused: Counter[tuple[date, str, str]] = field(default_factory=Counter)

    @property
    def active(self) -> pd.DataFrame:
        """The enrolments that have not ended."""
        return self.enrolments[self.enrolments["status"] == "active"]

    def state(self, playbook: Playbook, offered: pd.DataFrame, now: datetime) -> pd.DataFrame:
        """As `PlayStore.state`."""
        known = self.enrolments
        own = known[(known["playbook"] == playbook.playbook) & (known["status"] != "active")]
        recent = own[_are_after(own["ended_at"], now - timedelta(days=playbook.reentry_after_days))]
        active = self.active
        in_family = active[(active["family"] == playbook.family) & (active["priority"] >= playbook.priority)]
        columns = (False, _are_in(offered, recent), _are_in(offered, in_family))
        return pd.DataFrame(dict(zip(STATE_COLUMNS, columns, strict=True)), index=offered.index, dtype="bool")

    def in_family(self, playbook: Playbook, entering: pd.DataFrame) -> list[int]:
        """As `PlayStore.in_family`."""
        active = self.active
        in_family = active[active["family"] == playbook.family]
        return in_family.index[np.array(_are_in(in_family, entering), dtype=bool)].tolist()

    def enrol(self, playbook: Playbook, decided: pd.DataFrame, now: datetime) -> pd.Series:
        """As `PlayStore.enrol`; of who is refused only the reason is kept, and there is no id."""
        self.refused.update((self.week, playbook.playbook, str(reason)) for reason in decided["reason"].dropna())
        entering = decided[decided["reason"].isna()]
        rows = entering.assign(
            playbook=playbook.playbook,
            family=playbook.family,
            priority=playbook.priority,
            week=self.week,
            owner=entering["owner_email"],
            enrolled_at=now,
            status="active",
            reason=None,
            ended_at=None,
        )
        rows = _plain(rows, ENROLMENT_COLUMNS, after=self.enrolments)
        self.enrolments = pd.concat([self.enrolments, rows])
        return pd.Series(rows.index, index=entering.index)

    def plan(self, actions: pd.DataFrame) -> None:
        """As `PlayStore.plan`. Whether it needs approval does not keep an action from being judged when it is due.

        A cause of the days before this Monday was decided on when it came: its steps are taken now, and are not late.
        """
        enrolments = self.enrolments.loc[actions["enrolment_id"]]
        enrolled_at = pd.to_datetime(enrolments["enrolled_at"], utc=True).set_axis(actions.index)
        due_at, expires_at = (pd.to_datetime(actions[name], utc=True) for name in ("due_at", "expires_at"))
        delay = enrolled_at - due_at
        delay = delay.where(delay > timedelta(), pd.Timedelta(0))
        rows = actions.assign(
            family=enrolments["family"].tolist(),
            user_id=enrolments["user_id"].tolist(),
            owner=enrolments["owner"].tolist(),
            due_at=due_at + delay,
            expires_at=expires_at + delay,
            needs_approval=[step.waits_for_approval for step in actions["definition"]],
            status=actions["status"].replace("awaiting_approval", "planned"),
            recipient=None,
            week=None,
            sent_at=None,
        )
        self.actions = pd.concat([self.actions, _plain(rows, ACTION_COLUMNS, after=self.actions)])

    def end(self, reasons: pd.Series, now: datetime) -> None:
        """As `PlayStore.end`."""
        self.enrolments.loc[reasons.index, "status"] = "exited"
        self.enrolments.loc[reasons.index, "reason"] = reasons.astype("object")
        self.enrolments.loc[reasons.index, "ended_at"] = now
        left = self.actions["enrolment_id"].isin(reasons.index) & (self.actions["status"] == "planned")
        self.actions.loc[left, "status"] = "cancelled"
        self.actions.loc[left, "reason"] = self.actions.loc[left, "enrolment_id"].map(reasons)

    def complete(self, now: datetime) -> int:
        """Complete the active enrolments with nothing left to do; returns how many."""
        waiting = set(self.actions.loc[self.actions["status"] == "planned", "enrolment_id"])
        done = self.active.index.difference(pd.Index(list(waiting)))
        self.enrolments.loc[done, "status"] = "completed"
        self.enrolments.loc[done, "ended_at"] = now
        return len(done)

    def siblings(self, enrolment_ids: Sequence[int]) -> pd.DataFrame:
        """As `PlayStore.siblings`; the id of an action is its place."""
        rows = self.actions[self.actions["enrolment_id"].isin(enrolment_ids)]
        status = rows["status"].where(~rows["status"].isin(TAKEN), "sent")
        return rows.assign(action_id=rows.index, status=status, is_resent=False)[list(SIBLING_COLUMNS)]

    def mailed(self, account_ids: Sequence[str], playbooks: Sequence[str]) -> pd.DataFrame:
        """As `PlayStore.mailed`."""
        is_asked = self.actions["account_id"].isin(account_ids) & self.actions["playbook"].isin(playbooks)
        rows = self.actions[is_asked & self.actions["status"].isin(TAKEN)]
        rows = rows.assign(subscription_id=self.enrolments.loc[rows["enrolment_id"], "subject_id"].tolist())
        rows = rows[rows["subscription_id"].notna()]
        return rows.groupby(list(MAILED_COLUMNS[:-1]))["due_at"].max().reset_index()

    def due(self, until: datetime) -> pd.DataFrame:
        """Planned actions that are due before `until`, in the order in which they go out."""
        planned = self.actions[self.actions["status"] == "planned"]
        rows = planned[~_are_after(planned["due_at"], until - timedelta(microseconds=1))]
        return rows.sort_values("due_at", kind="stable")

    def drop(self, reasons: pd.Series) -> None:
        """Actions that are not taken; `reasons` by action."""
        self.actions.loc[reasons.index, "status"] = [
            "failed" if why == NO_RECIPIENT else "suppressed" for why in reasons
        ]
        self.actions.loc[reasons.index, "reason"] = reasons.astype("object")
        self.actions.loc[reasons.index, "week"] = self.week

    def postpone(self, waiting: Mapping[int, Postponed]) -> None:
        """Let planned actions wait, as `outbox.suppress.postpone` does; by action."""
        for action, wait in waiting.items():
            if wait.keeps_fresh:
                self.actions.at[action, "expires_at"] += wait.until - self.actions.at[action, "due_at"]  # pyright: ignore[reportOperatorIssue, reportArgumentType]
            self.actions.at[action, "due_at"] = pd.Timestamp(wait.until)

    def take(self, recipients: pd.Series) -> None:
        """Actions that go out when they are due, or would once they were approved; `recipients` by action."""
        taken = recipients.index
        needs_approval = self.actions.loc[taken, "needs_approval"]
        self.actions.loc[taken, "status"] = needs_approval.map({True: "for_approval", False: "taken"})
        self.actions.loc[taken, "recipient"] = recipients
        self.actions.loc[taken, "week"] = self.week
        self.actions.loc[taken, "sent_at"] = self.actions.loc[taken, "due_at"]


def _plain(rows: pd.DataFrame, columns: tuple[str, ...], after: pd.DataFrame) -> pd.DataFrame:
    """The columns as plain objects, None where missing, numbered on from `after`."""
    plain = rows[list(columns)].astype("object")
    return plain.where(plain.notna(), None).set_axis(pd.RangeIndex(len(after), len(after) + len(rows)))


def _are_in(rows: pd.DataFrame, others: pd.DataFrame) -> list[bool]:
    """Whether `others` have the account of each row, and the same subscription and user where both are about one."""
    of_account: dict[str, set[tuple[str | None, str | None]]] = {}
    for account_id, subject_id, user_id in others[list(ABOUT_COLUMNS)].itertuples(index=False, name=None):
        of_account.setdefault(account_id, set()).add((subject_id, user_id))
    return [
        any(
            (subject_id is None or subject in (subject_id, None)) and (user_id is None or user in (user_id, None))
            for subject, user in of_account.get(account_id, ())
        )
        for account_id, subject_id, user_id in rows[list(ABOUT_COLUMNS)].itertuples(index=False, name=None)
    ]


def _are_after(moments: pd.Series, moment: datetime) -> NDArray[np.bool]:
    return np.array([each > moment for each in moments], dtype=bool)
