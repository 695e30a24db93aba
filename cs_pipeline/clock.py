"""The present, as sensors, schedules and the outbox see it.

No decision asks the machine what time it is: models and scores work from the end of a week, and only what watches
processes reads its clock. Demo and tests set the
clock; production never does.
"""

from datetime import UTC, datetime


class Clock:
    """Tells the present in UTC, or a moment it was set to."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen_at: datetime | None = None
        if frozen_at is not None:
            self.set(frozen_at)

    @property
    def is_frozen(self) -> bool:
        """True when the present was set by demo or tests."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """The present, timezone-aware, in UTC."""
        return self._frozen_at if self._frozen_at is not None else datetime.now(UTC)

    def set(self, moment: datetime) -> None:
        """Freeze the present at `moment`, which must carry a time zone (ValueError otherwise)."""
        if moment.tzinfo is None:
            raise ValueError(f"the clock needs a time zone, got {moment.isoformat()} without one")
        self._frozen_at = moment.astimezone(UTC)
