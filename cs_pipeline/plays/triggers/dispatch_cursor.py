"""Decide which triggers a sensor hands to a run: a pure decision over ids, remembered in the sensor's cursor.

Whether a trigger is decided is known to the database alone (one row per playbook and trigger); the cursor only keeps
a sensor from asking for the same run again while that run is on its way, and from looking again at what it saw whole.
So a cursor that is lost, set back or copied neither loses a trigger nor enrols anybody twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

AT_A_TIME = 1_000  # triggers in one run
MOST_WAITING = 4  # runs of one playbook on their way at once
FIRST_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=12)


@dataclass(frozen=True)
class TriggerBatch:
    """One run to ask for: decide on these triggers for this playbook. `run_key` is the same for the same cause."""

    playbook: str
    trigger_ids: tuple[int, ...]
    attempt: int = 1

    @property
    def run_key(self) -> str:
        """Playbook, triggers and attempt in one short key."""
        digest = hashlib.sha256(",".join(map(str, self.trigger_ids)).encode()).hexdigest()[:12]
        return f"{self.playbook}:{self.trigger_ids[0]}-{self.trigger_ids[-1]}:{digest}:{self.attempt}"


@dataclass(frozen=True)
class Waiting:
    """A batch that was asked for, and when."""

    batch: TriggerBatch
    since: datetime

    @property
    def is_over_at(self) -> datetime:
        """When a run that has not decided by then counts as failed; later after every attempt."""
        return self.since + min(FIRST_WAIT * 2 ** min(self.batch.attempt - 1, 10), LONGEST_WAIT)


@dataclass(frozen=True)
class Cursor:
    """What a sensor remembers: up to which trigger each playbook was offered, and the runs on their way.

    `whole`: up to which trigger nothing more can appear, by what a playbook is about.
    """

    after: Mapping[str, int]
    waiting: tuple[Waiting, ...] = ()
    whole: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """The cursor from Dagster; empty when there is none, or one that is not ours."""
        try:
            data = json.loads(text or "")
            return cls(
                after={str(name): int(trigger_id) for name, trigger_id in data["after"].items()},
                waiting=tuple(
                    Waiting(TriggerBatch(name, _from_runs(runs), int(attempt)), datetime.fromisoformat(since))
                    for name, runs, attempt, since in data["waiting"]
                ),
                whole={str(about): int(trigger_id) for about, trigger_id in data.get("whole", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls(after={})

    def write(self) -> str:
        """The cursor for Dagster."""
        waiting = [
            [w.batch.playbook, _runs(w.batch.trigger_ids), w.batch.attempt, w.since.isoformat()] for w in self.waiting
        ]
        written = {"after": dict(self.after), "waiting": waiting, "whole": dict(self.whole)}
        return json.dumps(written, separators=(",", ":"))

    def waiting_for(self, playbook: str) -> list[Waiting]:
        """Runs of `playbook` on their way."""
        return [waiting for waiting in self.waiting if waiting.batch.playbook == playbook]


@dataclass(frozen=True)
class Offer:
    """What a tick asks for, the cursor to keep, and the reason why there is nothing, or something unusual."""

    batches: tuple[TriggerBatch, ...]
    cursor: str
    reason: str


def next_batches(
    undecided: Mapping[str, Sequence[int]],
    newest: int,
    cursor: Cursor,
    now: datetime,
    whole: Mapping[str, int] | None = None,
) -> Offer:
    """Decide what to ask for.

    `undecided`: by playbook, in the order in which they may enrol, the ascending ids of triggers that have no
    decision yet. `newest`: the newest trigger there is. A playbook that the cursor does not know starts at its first
    undecided trigger, which is the oldest that is not too old to act on, and the reason says so. `whole` is kept.
    """
    batches: list[TriggerBatch] = []
    waiting: list[Waiting] = []
    after: dict[str, int] = {}
    notes: list[str] = []
    for playbook, ids in undecided.items():
        left = set(ids)
        on_their_way: list[Waiting] = []
        asked: list[TriggerBatch] = []
        for earlier in cursor.waiting_for(playbook):
            remaining = tuple(trigger_id for trigger_id in earlier.batch.trigger_ids if trigger_id in left)
            left.difference_update(remaining)
            if remaining and now < earlier.is_over_at:
                on_their_way.append(earlier)
            elif remaining:
                asked.append(TriggerBatch(playbook, remaining, earlier.batch.attempt + 1))
                notes.append(f"{playbook}: attempt {earlier.batch.attempt + 1} at {len(remaining)} triggers")
        fresh = sorted(left)
        room = max(MOST_WAITING - len(on_their_way) - len(asked), 0)
        chunks = [tuple(fresh[start : start + AT_A_TIME]) for start in range(0, len(fresh), AT_A_TIME)][:room]
        asked += [TriggerBatch(playbook, chunk) for chunk in chunks]
        if playbook not in cursor.after:
            start = f"starts at trigger {fresh[0]}" if fresh else f"starts after trigger {newest}"
            notes.append(f"{playbook}: no cursor, {start}")
        taken = sum(len(chunk) for chunk in chunks)
        # Everything up to `after` was asked for; what was not taken now lies behind it.
        after[playbook] = fresh[taken] - 1 if taken < len(fresh) else max(newest, cursor.after.get(playbook, 0))
        batches += asked
        waiting += on_their_way + [Waiting(batch, now) for batch in asked]
    if not batches:
        notes.append(f"{len(waiting)} runs on their way" if waiting else "no undecided triggers")
    return Offer(tuple(batches), Cursor(after, tuple(waiting), whole or {}).write(), "; ".join(notes))


def _runs(ids: Sequence[int]) -> list[list[int]]:
    """Ascending ids as [first, last] of every unbroken run: a thousand of them are mostly one."""
    runs: list[list[int]] = []
    for trigger_id in ids:
        if runs and trigger_id == runs[-1][1] + 1:
            runs[-1][1] = trigger_id
        else:
            runs.append([trigger_id, trigger_id])
    return runs


def _from_runs(runs: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(trigger_id for first, last in runs for trigger_id in range(int(first), int(last) + 1))
