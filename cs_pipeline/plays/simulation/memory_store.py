"""The stage of a simulation: enrolments and actions as `cs.enrolments` and `cs.actions` would hold them, in memory."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.plays.playbooks.schema import Playbook

ENROLMENT_COLUMNS = (
    "playbook", "family", "priority", "account_id", "subject_id", "anchor_on", "week", "owner", "severity",
    "enrolled_at", "status", "reason", "ended_at",
)  # fmt: skip
ACTION_COLUMNS = (
    "enrolment_id", "playbook", "family", "step", "account_id", "owner", "channel", "role", "intent", "definition",
    "due_at", "expires_at", "needs_approval", "status", "reason", "recipient", "week",
)  # fmt: skip


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype="object") for column in columns}, index=pd.RangeIndex(0))


@dataclass
class Stage:
    """Enrolments by their number, and the actions of them.

    `week` of an enrolment is the one whose end started it; of an action the one after whose end it was decided on.
    An action ends as taken, for_approval, suppressed, failed or cancelled; planned ones are still to come.
    """

    enrolments: pd.DataFrame = field(default_factory=lambda: _empty(ENROLMENT_COLUMNS))
    actions: pd.DataFrame = field(default_factory=lambda: _empty(ACTION_COLUMNS))

    @property
    def active(self) -> pd.DataFrame:
        """The enrolments that have not ended."""
        return self.enrolments[self.enrolments["status"] == "active"]

    def state(self, playbook: Playbook, offered: pd.DataFrame, now: datetime) -> pd.DataFrame:
        """What our own tables would say of each trigger: is_stopped, is_too_soon, is_taken (see `enrolment`)."""
        known = self.enrolments
        own = known[(known["playbook"] == playbook.playbook) & (known["status"] != "active")]
        recent = own[_are_after(own["ended_at"], now - timedelta(days=playbook.reentry_after_days))]
        accounts, subjects = (
            set(recent["account_id"]),
            set(zip(recent["account_id"], recent["subject_id"], strict=True)),
        )
        is_too_soon = [
            account_id in accounts if subject_id is None else (account_id, subject_id) in subjects
            for account_id, subject_id in zip(offered["account_id"], offered["subject_id"], strict=True)
        ]
        active = self.active
        in_family = active[(active["family"] == playbook.family) & (active["priority"] >= playbook.priority)]
        return pd.DataFrame(
            {
                "is_stopped": False,
                "is_too_soon": is_too_soon,
                "is_taken": _are_in(offered, in_family),
            },
            index=offered.index,
        )

    def others_in_family(self, playbook: Playbook, entering: pd.DataFrame, reason: str) -> pd.Series:
        """`reason` for every play of the family in which who enters still is (columns account_id, subject_id)."""
        active = self.active
        in_family = active[active["family"] == playbook.family]
        is_so = np.array(_are_in(in_family, entering), dtype=bool)
        return pd.Series(reason, index=in_family.index[is_so], dtype="object")

    def enrol(self, playbook: Playbook, entering: pd.DataFrame, now: datetime) -> pd.DataFrame:
        """Enrol accounts (columns of ENROLMENT_COLUMNS up to severity); returns their enrolments."""
        rows = entering.assign(
            playbook=playbook.playbook,
            family=playbook.family,
            priority=playbook.priority,
            enrolled_at=now,
            status="active",
            reason=None,
            ended_at=None,
        )[list(ENROLMENT_COLUMNS)].astype("object")
        rows = rows.where(rows.notna(), None)
        rows.index = pd.RangeIndex(len(self.enrolments), len(self.enrolments) + len(rows))
        self.enrolments = pd.concat([self.enrolments, rows])
        return rows

    def plan(self, actions: pd.DataFrame) -> None:
        """Add actions."""
        rows = actions.assign(recipient=None)[list(ACTION_COLUMNS)].astype("object")
        rows = rows.where(rows.notna(), None)
        rows.index = pd.RangeIndex(len(self.actions), len(self.actions) + len(rows))
        self.actions = pd.concat([self.actions, rows])

    def end(self, reasons: pd.Series, now: datetime) -> None:
        """End enrolments, and cancel what is left of them; `reasons` by enrolment."""
        self.enrolments.loc[reasons.index, "status"] = "exited"
        self.enrolments.loc[reasons.index, "reason"] = reasons.astype("object")
        self.enrolments.loc[reasons.index, "ended_at"] = now
        left = self.actions["enrolment_id"].isin(reasons.index) & (self.actions["status"] == "planned")
        self.actions.loc[left, "status"] = "cancelled"
        self.actions.loc[left, "reason"] = self.actions.loc[left, "enrolment_id"].map(reasons)

    def due(self, until: datetime) -> pd.DataFrame:
        """Planned actions that are due before `until`, in the order in which they go out."""
        planned = self.actions[self.actions["status"] == "planned"]
        rows = planned[~_are_after(planned["due_at"], until - timedelta(microseconds=1))]
        return rows.sort_values("due_at", kind="stable")

    def record(self, judged: pd.DataFrame, reasons: pd.Series, waiting: pd.Index, week: date) -> None:
        """What came of due actions: dropped for one of `reasons`, still `waiting`, or taken by `judged` recipients."""
        decided = judged.index.difference(waiting, sort=False)
        why = reasons.loc[decided]
        status = judged.loc[decided, "needs_approval"].map({True: "for_approval", False: "taken"})
        status[why.notna()] = "suppressed"
        status[why.fillna("") == "no_recipient"] = "failed"
        self.actions.loc[decided, "status"] = status
        self.actions.loc[decided, "reason"] = why.astype("object").where(why.notna(), None)
        self.actions.loc[decided, "recipient"] = judged.loc[decided, "recipient"]
        self.actions.loc[decided, "week"] = week

    def complete(self, now: datetime) -> None:
        """Complete the enrolments with nothing left to do."""
        waiting = set(self.actions.loc[self.actions["status"] == "planned", "enrolment_id"])
        done = self.active.index.difference(pd.Index(list(waiting)))
        self.enrolments.loc[done, "status"] = "completed"
        self.enrolments.loc[done, "ended_at"] = now


def _are_in(rows: pd.DataFrame, others: pd.DataFrame) -> list[bool]:
    """Whether `others` have the account of each row, and the same subscription where both are about one."""
    subjects: dict[str, set[str | None]] = {}
    for account_id, subject_id in zip(others["account_id"], others["subject_id"], strict=True):
        subjects.setdefault(account_id, set()).add(subject_id)
    return [
        account_id in subjects and (subject_id is None or bool(subjects[account_id] & {subject_id, None}))
        for account_id, subject_id in zip(rows["account_id"], rows["subject_id"], strict=True)
    ]


def _are_after(moments: pd.Series, moment: datetime) -> NDArray[np.bool]:
    return np.array([each > moment for each in moments], dtype=bool)
