"""The states of alerts one key at a time, in plain Python: what the statements of `transition` are held against."""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

OPEN = ("pending", "firing", "recovering")


@dataclass
class NaiveAlert:
    """As a row of cs.alerts."""

    key: str
    state: str
    since: datetime
    since_clock: float
    is_baseline: bool
    fired_at: datetime | None = None
    cause: str | None = None
    missing: int = 0
    missing_since: datetime | None = None
    ended_at: datetime | None = None
    reopened: int = 0
    is_held: bool = False
    told_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def seen(self) -> tuple:
        """What is compared."""
        return (
            self.key, self.state, self.cause, self.since, self.fired_at, self.ended_at, self.reopened,
            self.is_baseline, self.is_held, self.told_at, self.missing if self.state == "recovering" else 0,
        )  # fmt: skip


@dataclass
class NaiveRule:
    """A rule and what it has found so far. Durations in days; None: never."""

    is_event: bool = False
    hold_for: int = 0
    resolve_after: int = 1
    again_after: int | None = None
    expires_after: int | None = None
    most: int = 50
    alerts: list[NaiveAlert] = field(default_factory=list)
    is_silent: bool = False
    clock: float = 0.0
    evaluated: datetime | None = None
    version: int | None = None

    def evaluate(self, at: datetime, found: Set[str], version: int) -> dict[str, list[str]]:
        """Go on to a moment; returns keys by what is told of them."""
        told: dict[str, list[str]] = {"new": [], "resolved": [], "reopened": []}
        if self.evaluated is not None:
            self.clock += (at - self.evaluated).total_seconds()
        is_baseline, is_changed = self.version != version, self.version not in (None, version)
        before = [alert.key for alert in self.alerts if alert.is_open]
        news = [(key, self._last(key)) for key in sorted(found) if key not in before]
        for alert in list(self.alerts):
            self._go_on(alert, at, alert.key in found, is_changed, told)
        for key, last in news:
            if self._is_blocked(last, at):
                continue
            if last is not None and not self.is_event and self._was_told_lately(last, at):
                last.state, last.cause, last.ended_at, last.missing, last.missing_since = "firing", None, None, 0, None
                last.reopened += 1
                told["reopened"].append(key)
            else:
                waits = self.hold_for > 0
                begun = NaiveAlert(key, "pending" if waits else "firing", at, self.clock, is_baseline)
                begun.fired_at = None if waits else at
                self.alerts.append(begun)
        self.evaluated, self.version = at, version
        told["new"] = self._tell(at)
        return {kind: sorted(keys) for kind, keys in told.items()}

    def freeze(self, at: datetime) -> None:
        """The rule could not be asked at that moment."""
        self.evaluated = at

    def release(self, at: datetime) -> list[str]:
        """Tell of what is held."""
        for alert in self.alerts:
            alert.is_held = False
        return self._tell(at, is_limited=False)

    def dismiss(self, at: datetime) -> None:
        """Close what is held."""
        for alert in self.alerts:
            if alert.is_held and alert.is_open:
                alert.state, alert.cause, alert.ended_at, alert.is_held = "closed", "dismissed", at, False

    @property
    def is_holding(self) -> bool:
        return any(alert.is_held and alert.is_open for alert in self.alerts)

    def _go_on(
        self, alert: NaiveAlert, at: datetime, is_seen: bool, is_changed: bool, told: dict[str, list[str]]
    ) -> None:
        if not alert.is_open:
            if alert.state == "closed" and not is_seen:
                alert.missing_since = alert.missing_since or at
            return
        if alert.state == "pending":
            if not is_seen:
                self.alerts.remove(alert)
            elif self.clock - alert.since_clock >= self.hold_for * 86_400:
                alert.state, alert.fired_at = "firing", at
            return
        alert.missing_since = None if is_seen else alert.missing_since or at
        alert.missing = 0 if is_seen or self.is_event else alert.missing + 1
        is_gone = not is_seen and not self.is_event
        if is_gone and is_changed:
            alert.state, alert.cause, alert.ended_at = "resolved", "rule_changed", alert.missing_since
        elif is_gone and alert.missing >= self.resolve_after:
            alert.state, alert.cause, alert.ended_at = "resolved", "condition", alert.missing_since
            if alert.told_at and not alert.reopened and not self.is_silent:
                told["resolved"].append(alert.key)
        elif self.expires_after is not None and alert.fired_at + timedelta(days=self.expires_after) <= at:  # pyright: ignore[reportOptionalOperand]
            alert.state, alert.cause, alert.ended_at = "closed", "expired", at
        else:
            alert.state = "recovering" if is_gone else "firing"

    def _last(self, key: str) -> NaiveAlert | None:
        found = [alert for alert in self.alerts if alert.key == key]
        return found[-1] if found else None

    def _is_blocked(self, last: NaiveAlert | None, at: datetime) -> bool:
        if last is None:
            return False
        if self.is_event:
            return self.again_after is None or last.fired_at + timedelta(days=self.again_after) > at  # pyright: ignore[reportOptionalOperand]
        if last.state == "closed":
            return last.missing_since is None or self._was_told_lately(last, at)
        return False

    def _was_told_lately(self, last: NaiveAlert, at: datetime) -> bool:
        if self.again_after is None or last.told_at is None:
            return False
        return last.told_at + timedelta(days=self.again_after) > at

    def _tell(self, at: datetime, *, is_limited: bool = True) -> list[str]:
        untold = [
            alert
            for alert in self.alerts
            if alert.state == "firing" and not (alert.told_at or alert.is_baseline or alert.is_held or self.is_silent)
        ]
        if is_limited and untold and (self.is_holding or len(untold) > self.most):
            for alert in untold:
                alert.is_held = True
            return []
        for alert in untold:
            alert.told_at = at
        return sorted(alert.key for alert in untold)
