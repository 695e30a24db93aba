"""Decide the next state of a rule's open alerts at a moment, over arrays: what transition.sql does live. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.alerts.replay_arrays import (
    ACCOUNT_LEFT,
    CLOSED,
    CONDITION,
    EXPIRED,
    FIRING,
    GONE,
    MICROSECOND,
    NEVER,
    NONE,
    PENDING,
    RECOVERING,
    RESOLVED,
    RULE_CHANGED,
    Bools,
    Found,
    Ints,
    differ,
    micros,
    values_in,
)
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.transition import Tick


@dataclass(frozen=True)
class NextStates:
    """Open alerts as they are next, a row each.

    `is_touched`: something of it is to be written. `is_seen`: the rule found it. `measured`: what it found, NaN where
    it found nothing.
    """

    alerts: NDArray
    is_touched: Bools
    is_seen: Bools
    measured: NDArray


def next_states(
    rule: Alert,
    alerts: NDArray,
    row: Ints,
    found: Found,
    left_at: Ints,
    tick: Tick,
    version: int,
    now: int,
) -> NextStates:
    """The next states of `alerts`, which are open; `row`: of each, where it stands in `found`, or NONE."""
    is_seen, has_left = row != NONE, left_at[alerts["account"]] <= now
    is_missing = ~is_seen & (rule.nature == "state")
    is_pending = alerts["state"] == PENDING
    is_over = is_missing & (tick.is_changed | (alerts["missing"] + 1 >= rule.resolve_after))
    has_expired = np.zeros(len(alerts), bool)
    if rule.expires_after is not None:
        has_expired = alerts["fired_at"] <= now - rule.expires_after // MICROSECOND
    state = np.select(
        [
            is_pending & (has_left | ~is_seen),
            is_pending & (tick.clock - alerts["since_clock"] < rule.hold_for.total_seconds()),
            is_pending,
            has_left,
            is_over,
            has_expired,
            is_missing,
        ],
        [GONE, PENDING, FIRING, CLOSED, RESOLVED, CLOSED, RECOVERING],
        FIRING,
    )
    values = values_in(found, row)
    after = alerts.copy()
    after["state"] = state
    after["cause"] = np.select(
        [(state == CLOSED) & has_left, state == CLOSED, state == RESOLVED],
        [ACCOUNT_LEFT, EXPIRED, RULE_CHANGED if tick.is_changed else CONDITION],
        NONE,
    )
    after["version"] = version
    seen_before = now if tick.seen_before is None else micros(tick.seen_before)
    after["seen_at"] = np.select([is_seen, alerts["missing"] == 0], [now, seen_before], alerts["seen_at"])
    after["fired_at"] = np.where(is_pending & (state == FIRING), now, alerts["fired_at"])
    after["missing"] = np.where(is_missing, alerts["missing"] + 1, 0)
    was_missing = alerts["missing_since"] != NEVER
    after["missing_since"] = np.where(is_seen, NEVER, np.where(was_missing, alerts["missing_since"], now))
    after["missing_clock"] = np.where(is_seen, np.nan, np.where(was_missing, alerts["missing_clock"], tick.clock))
    after["ended_at"] = np.select(
        [(state == RESOLVED) & was_missing, state >= RESOLVED], [alerts["missing_since"], now], NEVER
    )
    for name, value in values.items():
        after[name] = np.where(is_seen, value, alerts[name])
    is_changed = (state != alerts["state"]) | (state == RECOVERING) | (alerts["version"] != version)
    is_touched = (state != GONE) & (is_changed | (is_seen & differ(alerts, values)))
    return NextStates(after, is_touched, is_seen, values["measured"])
