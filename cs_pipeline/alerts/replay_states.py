"""Bring the alerts of a rule from moment to moment in memory, all of its keys at once. Pure.

What `transition` does live in SQL, where people decide between the moments, over arrays: a replay goes through hundreds
of moments, and a statement for each would cost far more than what it decides. Both are held against the same naive
model, and against each other. How moments and keys are counted is in `replay_arrays`, the next state of what is open in
`replay_transition`.
"""

from collections.abc import Callable
from datetime import timedelta
from math import floor

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.alerts.evaluation import Told
from cs_pipeline.alerts.replay_arrays import (
    ALERT,
    ALWAYS,
    CHANGE,
    CLOSED,
    EXPIRED,
    FIRING,
    GONE,
    MICROSECOND,
    NEVER,
    NONE,
    PENDING,
    RECOVERING,
    RESOLVED,
    Bools,
    Found,
    Ints,
    changes_of,
    micros,
    values_in,
)
from cs_pipeline.alerts.replay_transition import next_states
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.transition import Outcome, Tick

KeepsAudience = Callable[[Ints], Bools]
"""Which of these accounts (codes, once each) are of the audience."""


class States:
    """The alerts of a rule, `alerts` (ALERT, some of them GONE), and all changes of their states."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._is_state = alert.nature == "state"
        self._again = None if alert.again_after is None else alert.again_after // MICROSECOND
        self._rows = np.zeros(64, ALERT)
        self._count = 0
        self._last = np.full(64, NONE)  # alert of each key
        self._row = np.full(64, NONE)  # of what is found, of each key
        self._open = np.empty(0, np.int64)
        self._closed_and_found = np.empty(0, np.int64)
        self._changes: list[NDArray] = []

    @property
    def alerts(self) -> NDArray:
        """All alerts, in the order in which they began."""
        return self._rows[: self._count]

    @property
    def changes(self) -> NDArray:
        """All changes (CHANGE), in order."""
        return np.concatenate([np.empty(0, CHANGE), *self._changes])

    def firing_accounts(self) -> Ints:
        """Accounts for which an alert fires or recovers."""
        alerts = self.alerts[self._open]
        return np.unique(alerts["account"][alerts["state"] != PENDING])

    def advance(
        self,
        tick: Tick,
        version: int,
        found: Found,
        left_at: Ints,
        stands_before: Ints | None = None,
        keeps_audience: KeepsAudience | None = None,
    ) -> Outcome:
        """Go on to `tick.as_of`, at which the rule found `found`.

        `version`: that of the tick, as a code. `left_at`: of each account, when it left; ALWAYS where it has not.
        `stands_before`: of each account, the rule (a code) that stands before this one now, or NONE. `tick.book` is
        needed. Nobody decides anything in between, so that nothing is snoozed, silenced or released.
        """
        now = micros(tick.as_of)
        self._make_room(found)
        self._row[found.key] = np.arange(len(found.key))
        is_new, reopens = self._news(found, now)
        out_of_audience = self._keep_audience(found, is_new, reopens, keeps_audience)
        closed_before = self._closed_and_found[self.alerts["state"][self._closed_and_found] == CLOSED]
        changes = np.concatenate(
            [
                self._go_on(tick, version, found, left_at, now),
                self._reopen(found, np.flatnonzero(is_new & reopens), version, now),
                self._begin(tick, version, found, np.flatnonzero(is_new & ~reopens), now),
            ]
        )
        self._forget_closed(closed_before, now)
        self._row[found.key] = NONE
        self._changes.append(changes)
        inhibited = self._inhibit(stands_before)
        held, held_accounts, is_newly_held = self._tell_or_hold(tick, now)
        return Outcome(
            fired=int(((changes["to"] == FIRING) & (changes["from"] <= PENDING)).sum()),
            resolved=int((changes["to"] == RESOLVED).sum()),
            closed=int((changes["to"] == CLOSED).sum()),
            inhibited=inhibited,
            out_of_audience=out_of_audience,
            held=held,
            held_accounts=held_accounts,
            is_newly_held=is_newly_held,
            told=Told(),
        )

    def _make_room(self, found: Found) -> None:
        keys = int(found.key.max(initial=-1)) + 1
        if keys > len(self._last):
            more = np.full(max(keys, 2 * len(self._last)) - len(self._last), NONE)
            self._last, self._row = np.r_[self._last, more], np.r_[self._row, more]
        alerts = self._count + len(found.key)
        if alerts > len(self._rows):
            self._rows = np.r_[self._rows, np.zeros(max(alerts, 2 * len(self._rows)) - len(self._rows), ALERT)]

    def _news(self, found: Found, now: int) -> tuple[Bools, Bools]:
        """Which of the found are news, and which alerts these open again: see transition.news.sql."""
        last = self._last[found.key]
        is_known = last != NONE
        past = self._rows[last]  # where none is known, whatever stands last
        again = ALWAYS if self._again is None else self._again
        is_told_lately = is_known & (past["told_at"] != NEVER) & (again != ALWAYS) & (past["told_at"] > now - again)
        if self._is_state:
            is_put_away = is_known & (past["cause"] == EXPIRED)
            is_done = is_put_away & ((past["missing_since"] == NEVER) | is_told_lately)
        else:
            is_done = is_known & ((past["fired_at"] == NEVER) | (again == ALWAYS) | (past["fired_at"] > now - again))
        is_open = is_known & (past["state"] <= RECOVERING)
        return ~is_open & ~is_done, is_told_lately

    def _keep_audience(self, found: Found, is_new: Bools, reopens: Bools, keeps_audience: KeepsAudience | None) -> int:
        """Take what is none of the audience out of the news; returns how many."""
        begins = is_new & ~reopens
        if keeps_audience is None or not begins.any():
            return 0
        accounts, of = np.unique(found.account[begins], return_inverse=True)
        is_in = keeps_audience(accounts)[of]
        is_new[np.flatnonzero(begins)[~is_in]] = False
        return int((~is_in).sum())

    def _go_on(self, tick: Tick, version: int, found: Found, left_at: Ints, now: int) -> NDArray:
        """Bring every open alert to its next state."""
        alerts = self._rows[self._open]
        following = next_states(self._alert, alerts, self._row[alerts["key"]], found, left_at, tick, version, now)
        after, state = following.alerts, following.alerts["state"]
        touched, is_changed = following.is_touched, state != alerts["state"]
        self._rows[self._open[touched]] = after[touched]
        is_gone = state == GONE
        self._rows["state"][self._open[is_gone]] = GONE
        self._last[alerts["key"][is_gone]] = alerts["before"][is_gone]
        changed = changes_of(after[is_changed], now, alerts["state"][is_changed])
        changed["measured"] = following.measured[is_changed]
        changed["version"] = version
        is_closed_and_found = (state == CLOSED) & following.is_seen
        self._closed_and_found = np.r_[self._closed_and_found, self._open[is_closed_and_found]]
        self._open = self._open[state <= RECOVERING]
        return changed

    def _reopen(self, found: Found, rows: Ints, version: int, now: int) -> NDArray:
        """What people know of and what is back goes on as the same alert."""
        numbers = self._last[found.key[rows]]
        alerts = self._rows[numbers]
        before = alerts["state"].copy()
        alerts["state"], alerts["cause"], alerts["version"], alerts["seen_at"] = FIRING, NONE, version, now
        alerts["missing"], alerts["missing_since"], alerts["missing_clock"] = 0, NEVER, np.nan
        alerts["ended_at"] = NEVER
        alerts["reopened"] += 1
        for name, value in values_in(found, rows).items():
            alerts[name] = value
        self._rows[numbers] = alerts
        self._open = np.r_[self._open, numbers]
        return changes_of(alerts, now, before)

    def _begin(self, tick: Tick, version: int, found: Found, rows: Ints, now: int) -> NDArray:
        """What nobody knows of is a new alert."""
        waits = self._alert.hold_for > timedelta()
        numbers = np.arange(self._count, self._count + len(rows))
        self._count += len(rows)
        alerts = np.zeros(len(rows), ALERT)
        alerts["key"], alerts["account"] = found.key[rows], found.account[rows]
        alerts["before"] = self._last[found.key[rows]]
        alerts["version"], alerts["since"], alerts["since_clock"], alerts["seen_at"] = version, now, tick.clock, now
        alerts["state"], alerts["fired_at"] = (PENDING, NEVER) if waits else (FIRING, now)
        alerts["cause"] = alerts["inhibited_by"] = NONE
        alerts["missing_since"] = alerts["ended_at"] = alerts["told_at"] = NEVER
        alerts["missing_clock"] = np.nan
        alerts["is_baseline"] = tick.is_baseline and self._alert.first_run == "quiet"
        for name, value in values_in(found, rows).items():
            alerts[name] = value
        self._rows[numbers] = alerts
        self._last[alerts["key"]] = numbers
        self._open = np.r_[self._open, numbers]
        return changes_of(alerts, now, np.full(len(rows), NONE))

    def _forget_closed(self, closed: Ints, now: int) -> None:
        """What was closed before and is found no longer is news when it comes again."""
        missed = closed[self._row[self._rows["key"][closed]] == NONE]
        self._rows["missing_since"][missed] = now
        waiting = self._closed_and_found
        is_waiting = (self._rows["state"][waiting] == CLOSED) & (self._rows["missing_since"][waiting] == NEVER)
        self._closed_and_found = waiting[is_waiting]

    def _inhibit(self, stands_before: Ints | None) -> int:
        """Say of every alert that fires or recovers which rule stands before it; returns how many are so."""
        if stands_before is None:
            return 0
        numbers = self._open[self._rows["state"][self._open] != PENDING]
        before = stands_before[self._rows["account"][numbers]]
        self._rows["inhibited_by"][numbers] = before
        return int((before != NONE).sum())

    def _tell_or_hold(self, tick: Tick, now: int) -> tuple[int, int, bool]:
        """Mark what is told now, or held; returns alerts and accounts that are held, and whether none was before."""
        numbers = self._open[self._rows["state"][self._open] != PENDING]
        alerts = self._rows[numbers]
        is_tellable = (
            (alerts["state"] == FIRING)
            & (alerts["told_at"] == NEVER)
            & ~(alerts["is_baseline"] | alerts["is_held"])
            & (alerts["inhibited_by"] == NONE)
        )
        accounts = len(np.unique(alerts["account"][is_tellable]))
        limits, book = self._alert.limits, tick.book or 0
        is_too_much = accounts > limits.accounts and accounts > floor(limits.share * book)
        was_holding = bool(alerts["is_held"].any())
        if is_tellable.any() and (was_holding or is_too_much):
            self._rows["is_held"][numbers[is_tellable]] = True
            is_held = alerts["is_held"] | is_tellable
            return int(is_held.sum()), len(np.unique(alerts["account"][is_held])), not was_holding
        self._rows["told_at"][numbers[is_tellable]] = now
        return int(alerts["is_held"].sum()), len(np.unique(alerts["account"][alerts["is_held"]])), False
