"""Say at which moments a rule is asked: the newest that is due, and all between two moments. All are in UTC.

A rule is always asked about the moment of its schedule, not about the one at which it happens to be run, so that a
replay of the past and the evaluations of then see the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NAMED = {"hourly": "0 * * * *", "daily": "0 6 * * *", "weekly": "0 0 * * 1"}
"""Weekly is the end of the week, which is scored then."""
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_LONGEST_GAP = 366 * 8  # days: the 29th of February may be eight years away
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MOST_MISSED = 28
"""Days: what happened in an outage before these is no news any more."""


@dataclass(frozen=True)
class Schedule:
    """The moments of a cron line. `is_weekly`: it waits for the scores of the week."""

    text: str
    is_weekly: bool
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 Sunday
    either_day: bool
    """Day and weekday are both restricted: cron then takes days that keep either."""

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read 'hourly', 'daily', 'weekly' or five cron fields. Raises ValueError in words."""
        fields = NAMED.get(text, text).split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"expected hourly, daily, weekly or five cron fields, got {text!r}")
        minutes, hours, days, months, weekdays = (
            _values(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
        )
        schedule = cls(
            text=text,
            is_weekly=text == "weekly",
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=fields[2][0] != "*" and fields[4][0] != "*",
        )
        if schedule.due(datetime(2024, 3, 1, tzinfo=UTC) + _LONGEST_GAP * DAY) is None:
            raise ValueError(f"{text!r} never comes")
        return schedule

    def due(self, now: datetime) -> datetime | None:
        """The newest moment that is not after `now`."""
        return next(self._backwards(now), None)

    def between(self, first: datetime, last: datetime) -> list[datetime]:
        """Every moment from `first` to `last`, both included, in order."""
        moments = []
        for moment in self._backwards(last):
            if moment < first:
                break
            moments.append(moment)
        return moments[::-1]

    def days_missed(self, seen: datetime | None, as_of: datetime) -> int:
        """Whole days, rounded up, from when a rule was `seen` last to when it was due last before the moment.

        MOST_MISSED at most; none where it was never seen.
        """
        due = self.due(as_of - MINUTE)
        if seen is None or due is None or due <= seen:
            return 0
        return min(-((seen - due) // DAY), MOST_MISSED)

    def _backwards(self, now: datetime) -> Iterator[datetime]:
        """Moments not after `now`, newest first; ends when none came for a long time."""
        now = now.astimezone(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        without = 0
        while without <= _LONGEST_GAP:
            without += 1
            if self._has(midnight):
                without = 0
                for hour in reversed(self.hours):
                    for minute in reversed(self.minutes):
                        if (moment := midnight.replace(hour=hour, minute=minute)) <= now:
                            yield moment
            midnight -= DAY

    def _has(self, day: datetime) -> bool:
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and ((of_month or of_week) if self.either_day else (of_month and of_week))


def _values(field: str, name: str, lowest: int, highest: int) -> frozenset[int]:
    """The values of one cron field: *, 5, 1-5, */15, 10-30/5, and lists of them."""
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("*" if span == "" else span).partition("-")
        try:
            low, high = (lowest, highest) if first == "*" else (int(first), int(last or (highest if step else first)))
            every = int(step or 1)
        except ValueError:
            raise ValueError(f"{part!r} is no {name} of a cron line") from None
        if not (lowest <= low <= high <= highest and every >= 1):
            raise ValueError(f"{part!r} is no {name} of a cron line: expected {lowest} to {highest}")
        values.update(range(low, high + 1, every))
    return frozenset(values)
