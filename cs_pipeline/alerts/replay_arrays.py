"""Alerts, changes and findings of a replay as arrays, which `replay_states` goes over. Pure.

Moments are microseconds since 1970 in UTC; accounts, keys and versions are codes from 0.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STATES = ("pending", "firing", "recovering", "resolved", "closed", "gone")
PENDING, FIRING, RECOVERING, RESOLVED, CLOSED, GONE = range(len(STATES))
CAUSES = ("condition", "rule_changed", "account_left", "expired")
CONDITION, RULE_CHANGED, ACCOUNT_LEFT, EXPIRED = range(len(CAUSES))
NONE = -1
"""In place of a code: there is none."""
NEVER = int(np.iinfo(np.int64).min)
ALWAYS = int(np.iinfo(np.int64).max)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

ALERT = np.dtype(
    [
        *((name, np.int64) for name in ("key", "account", "before", "version", "state", "cause", "inhibited_by")),
        *((name, np.int64) for name in ("since", "seen_at", "fired_at", "missing_since", "ended_at", "told_at")),
        *((name, np.int64) for name in ("missing", "reopened", "facts")),
        *((name, np.float64) for name in ("since_clock", "missing_clock", "measured", "held_against")),
        *((name, np.bool_) for name in ("is_baseline", "is_held")),
    ]
)
"""A row of cs.alerts. `before`: the alert of the same key before it; `facts`: a hash of them."""
CHANGE = np.dtype(
    [*((name, np.int64) for name in ("key", "at", "from", "to", "cause", "version")), ("measured", float)]
)
"""A row of cs.alert_changes."""


@dataclass(frozen=True)
class Found:
    """What a rule found at a moment, a key once: its account, its values and a hash of its facts; NaN is no value."""

    key: Ints
    account: Ints
    measured: Floats
    held_against: Floats
    facts: Ints


def micros(moment: datetime) -> int:
    """A moment as it is counted here."""
    return (moment - _EPOCH) // MICROSECOND


def values_in(found: Found, rows: Ints) -> dict[str, NDArray]:
    """What was measured, in rows of `found`; where a row is NONE, nothing."""
    if not len(found.key):
        nothing = np.full(len(rows), np.nan)
        return {"measured": nothing, "held_against": nothing, "facts": np.zeros(len(rows), np.int64)}
    is_seen = rows != NONE
    return {
        "measured": np.where(is_seen, found.measured[rows], np.nan),
        "held_against": np.where(is_seen, found.held_against[rows], np.nan),
        "facts": found.facts[rows],
    }


def differ(alerts: NDArray, values: dict[str, NDArray]) -> Bools:
    """Whose values are others than those that the alert has."""
    differs = alerts["facts"] != values["facts"]
    for name in ("measured", "held_against"):
        was, now = alerts[name], values[name]
        differs |= (was != now) & ~(np.isnan(was) & np.isnan(now))
    return differs


def changes_of(alerts: NDArray, now: int, before: Ints) -> NDArray:
    """The changes that alerts have just made."""
    changes = np.zeros(len(alerts), CHANGE)
    changes["at"], changes["from"] = now, before
    changes["key"], changes["to"], changes["cause"] = alerts["key"], alerts["state"], alerts["cause"]
    changes["version"], changes["measured"] = alerts["version"], alerts["measured"]
    return changes
