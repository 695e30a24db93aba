"""Name the weeks, months and quarters that reports are about, in UTC. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

Rhythm = Literal["weekly", "monthly", "quarterly"]
MONTHS_OF: dict[Rhythm, int] = {"monthly": 1, "quarterly": 3}


@dataclass(frozen=True)
class Period:
    """From `first` up to, without, `end`. `once`: as somebody asked for it, for a report that has no rhythm."""

    rhythm: Rhythm | Literal["once"]
    first: date
    end: date

    @property
    def as_of(self) -> datetime:
        """The moment whose knowledge a report of the period has: its end."""
        return datetime.combine(self.end, time(), UTC)

    @property
    def words(self) -> str:
        """'week of 2 June 2025', 'May 2025', 'Q2 2025', '2 June 2025 to 1 June 2026'."""
        if self.rhythm == "once":
            last = self.end - timedelta(days=1)
            return f"{self.first.day} {self.first:%B %Y} to {last.day} {last:%B %Y}"
        if self.rhythm == "weekly":
            return f"week of {self.first.day} {self.first:%B %Y}"
        if self.rhythm == "monthly":
            return f"{self.first:%B %Y}"
        return f"Q{(self.first.month + 2) // 3} {self.first.year}"

    @property
    def before(self) -> "Period":
        """The period before it."""
        if self.rhythm == "once":
            return Period("once", self.first - (self.end - self.first), self.first)
        return last_ended(self.rhythm, datetime.combine(self.first, time(), UTC))

    @property
    def last_month(self) -> date:
        """First day of the calendar month of its last day: whose KPIs it knows."""
        return (self.end - timedelta(days=1)).replace(day=1)

    @property
    def last_week(self) -> date:
        """Monday of the last week that had ended when the period had: whose scores it knows."""
        return self.end - timedelta(days=self.end.weekday() + 7)


def last_ended(rhythm: Rhythm, moment: datetime) -> Period:
    """The last period that had ended at `moment`."""
    day = moment.astimezone(UTC).date()
    if rhythm == "weekly":
        end = day - timedelta(days=day.weekday())
        return Period(rhythm, end - timedelta(days=7), end)
    months = MONTHS_OF[rhythm]
    end = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(rhythm, _months_before(end, months), end)


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
