"""Count what one delivery did, for logs, Dagster's metadata and tests."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class DeliverySummary:
    """What one delivery did.

    `outcomes` counts calls by channel and what came of them (captured, sent, retry, failed, uncertain); `suppressed`
    and `failed` count actions that were not taken, by reason, and `postponed` those that wait; `ended` counts plays by
    exit reason; `settled` counts uncertain actions by what was found. `paused`: channels that are left alone for now,
    with the words of their provider.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    completed: int = 0
    leases_expired: int = 0
    settled: Counter[str] = field(default_factory=Counter)
    held: int = 0
    paused: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """How many attempts ended as `outcome`, over all channels."""
        return sum(number for (_, found), number in self.outcomes.items() if found == outcome)
