"""Parameters of a sample company: its size, its seed, its calendar.

The calendar is a grid of weeks (Mondays, UTC). It begins a little before the first week that can be scored, so that the
windows of that week are full, and ends at `ends_on`, the demo's present. No random number is drawn here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

from cs_pipeline.demo.vocabulary import vocabulary
from cs_pipeline.errors import UserError
from cs_pipeline.plays.playbooks.schema import Playbook

BLOCK_ACCOUNTS = 500
WARM_UP_WEEKS = 6
MOST_ACCOUNTS = 10_000_000

DAY = np.timedelta64(1, "D")
WEEK = np.timedelta64(7, "D")

Days = np.ndarray  # of datetime64[D]; NaT means never
Moments = np.ndarray  # of datetime64[us] in UTC


@dataclass(frozen=True)
class PlayEffect:
    """Of the accounts that leave for a cause that somebody who calls can mend (`treatment_effects.MET`), `playbook`
    keeps the share `keeps` (0 to 1), and none of those in its hold-out. 0 plants that the play does nothing. Raises
    UserError when `keeps` is no share.
    """

    playbook: Playbook
    keeps: float

    def __post_init__(self) -> None:
        if not 0 <= self.keeps <= 1:
            raise UserError(f"The share of accounts that a play keeps lies between 0 and 1, not {self.keeps}.")


@dataclass(frozen=True)
class SampleCompany:
    """The size and seed of a company; the same values always give the same files.

    accounts: number of customer accounts. weeks: scoreable weeks before `ends_on`, a Monday.
    events_scale: how many event rows beside the first session of each person's week; 0 keeps who was active and who
    logged in, at about a quarter of the rows; 2 doubles them. play_effect: what plays of a playbook are to have done.
    Raises UserError when a value makes no sense.
    """

    accounts: int = 300
    weeks: int = 80
    seed: int = 7
    ends_on: date = date(2025, 11, 3)
    events_scale: float = 1.0
    play_effect: PlayEffect | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.accounts <= MOST_ACCOUNTS:
            raise UserError(f"A sample company has 1 to {MOST_ACCOUNTS:,} accounts, not {self.accounts:,}.")
        if not 20 <= self.weeks <= 520:
            raise UserError(f"A sample company has 20 to 520 weeks of history, not {self.weeks}.")
        if self.seed < 0:
            raise UserError(f"The seed of a sample company is 0 or more, not {self.seed}.")
        if self.ends_on.weekday() != 0:
            raise UserError(f"A sample company ends on a Monday; {self.ends_on} is a {self.ends_on:%A}.")
        if not 0 <= self.events_scale <= 20:
            raise UserError(f"events_scale lies between 0 and 20, not {self.events_scale}.")

    @property
    def first_week(self) -> date:
        """Monday of the first week whose windows are full."""
        return self.ends_on - timedelta(weeks=self.weeks)

    @property
    def ends_at(self) -> datetime:
        """The moment the tables are known at: Monday 00:00 UTC."""
        return datetime(self.ends_on.year, self.ends_on.month, self.ends_on.day, tzinfo=UTC)

    @property
    def blocks(self) -> int:
        """Number of blocks of accounts."""
        return -(-self.accounts // BLOCK_ACCOUNTS)

    @cached_property
    def calendar(self) -> "Calendar":
        """The grid of weeks."""
        return Calendar(
            first_day=np.datetime64(self.first_week, "D") - WARM_UP_WEEKS * WEEK,
            end=np.datetime64(self.ends_on, "D"),
        )

    def random(self, block: int, subject: str) -> np.random.Generator:
        """A stream of its own for a subject within a block, whatever was drawn before."""
        return np.random.default_rng([self.seed, block, crc32(subject.encode())])


@dataclass(frozen=True)
class Calendar:
    """Weeks from `first_day` (a Monday) to `end` (a Monday, exclusive)."""

    first_day: np.datetime64
    end: np.datetime64

    @cached_property
    def mondays(self) -> Days:
        """The Monday of every week."""
        return np.arange(self.first_day, self.end, WEEK)

    @cached_property
    def season(self) -> np.ndarray:
        """How busy each week is, 1 being ordinary: quiet around New Year and in August."""
        day_of_year = (self.mondays + 3 * DAY - self.mondays.astype("M8[Y]").astype("M8[D]")).astype(int)
        busy = np.ones(len(self.mondays))
        busy[(day_of_year >= 355) | (day_of_year <= 4)] = 0.55
        busy[(day_of_year >= 213) & (day_of_year <= 236)] = 0.88
        return busy

    @cached_property
    def offsets(self) -> np.ndarray:
        """Offset from UTC in microseconds, by zone (order of the vocabulary) and week, so summer time is right."""
        noons = [datetime.combine(monday, datetime.min.time()) for monday in self.mondays.tolist()]
        return np.array(
            [
                [_microseconds(ZoneInfo(zone).utcoffset(noon + timedelta(days=2))) for noon in noons]
                for zone in vocabulary().timezones
            ],
            np.int64,
        )

    def week_of(self, days: Days | Moments) -> np.ndarray:
        """Index of the week that each day or moment falls in, clipped to the grid; NaT gives 0."""
        weeks = (days.astype("M8[D]") - self.first_day).astype(np.int64) // 7
        return np.clip(weeks, 0, len(self.mondays) - 1)

    def moment(self, days: Days, hours: np.ndarray, zones: np.ndarray) -> Moments:
        """The UTC moment of local `hours` (fractions allowed) on `days` in time zones by index; NaT stays NaT."""
        local = days.astype("M8[us]") + (hours * 3.6e9).astype("m8[us]")
        return local - self.offsets[zones, self.week_of(days)].astype("m8[us]")


def _microseconds(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds() * 1_000_000)


def office_hours(random: np.random.Generator, size: int) -> np.ndarray:
    """Local hours of the day at which people work, as fractions between 7 and 19."""
    return 7 + 12 * random.beta(2.2, 2.2, size)
