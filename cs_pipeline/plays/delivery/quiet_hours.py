"""Keep customers' mail to working days and working hours, where the reader is.

Pure functions over moments; whose country and zone count is decided in `throttling`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from cs_pipeline.plays.playbooks import business_days

SPREAD = timedelta(hours=2)
"""What waited over a night or a week-end goes out within this time after opening, not all in the first minute."""


@dataclass(frozen=True)
class QuietHours:
    """All hours but those in which mail may go: from `opens` until before `closes`, local time, from 0 to 24."""

    opens: int
    closes: int

    def next_moment(self, now: datetime, country: str | None, timezone: str | None, key: str) -> datetime | None:
        """When a mail with this key may go out (UTC); None when it may go out now.

        Always the same for the same key and day, so that asking again postpones nothing further.
        """
        zone = business_days.zone(timezone)
        local = now.astimezone(zone)
        if business_days.is_working_day(local.date(), country) and self._opening(local) <= local < self._closing(local):
            return None
        day = local.date() if local < self._opening(local) else local.date() + business_days.ONE_DAY
        day = business_days.next_working_day(day, country)
        opening = datetime.combine(day, time(self.opens), zone)
        return opening.astimezone(UTC) + _share(key) * min(SPREAD, timedelta(hours=self.closes - self.opens) / 2)

    def _opening(self, local: datetime) -> datetime:
        return local.replace(hour=self.opens, minute=0, second=0, microsecond=0)

    def _closing(self, local: datetime) -> datetime:
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + business_days.ONE_DAY if self.closes == 24 else midnight.replace(hour=self.closes)


def _share(key: str) -> float:
    """From 0 to below 1, the same for the same key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
