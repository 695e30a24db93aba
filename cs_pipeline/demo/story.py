"""Run the demo: load and score history, then let the last weeks happen through the real schedules and sensors.

Putting the parts together is the command line's business, and so is the summary at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cs_pipeline.clock import Clock
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import BEFORE_EVERYTHING, write_slice
from cs_pipeline.demo.timelapse import EVENING, Timelapse
from cs_pipeline.demo.truth import load_truth
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import KPIS_JOB
from cs_pipeline.orchestration.launch import Launcher
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.schemas import ensure_schema

LIVE_WEEKS = 2  # weeks that the schedule scores, at the ends of which it is Monday
LOADING_DAYS = (0, 3)  # data arrives on Mondays and Thursdays
DAY = timedelta(days=1)
WEEK = timedelta(days=7)

Tell = Callable[[str], None]
"""Told what happens next, in words for a person who waits."""


@dataclass(frozen=True)
class Runtime:
    """Where a story is played: a warehouse, a code location on it, and the clock that the code location reads."""

    settings: Settings
    warehouse: Warehouse
    launcher: Launcher
    clock: Clock

    def timelapse(self) -> Timelapse:
        """Days on this runtime, with sensors that remember nothing yet."""
        return Timelapse(self.launcher, self.clock, self.warehouse, self.settings)


def present_of(ends_on: date) -> datetime:
    """The demo's present: the evening of the Monday on which the data ends, when the last week has been scored."""
    return _midnight(ends_on) + EVENING


def play_sample(runtime: Runtime, company: SampleCompany, folder: Path, tell: Tell) -> None:
    """Generate the sample company into `folder`, load and score its history, and let its last weeks happen.

    Raises UserError when the warehouse holds data that is not a sample company's.
    """
    claim(runtime.warehouse, "sample")
    tell(f"Inventing a company with {company.accounts:,} accounts")
    generate(folder, company)
    load_truth(runtime.warehouse, folder)
    live_from = _first_live_monday(company.ends_on)
    tell(f"Loading its history, {company.weeks - LIVE_WEEKS} weeks")
    loaded_until = BEFORE_EVERYTHING

    def load_until(moment: datetime) -> None:
        nonlocal loaded_until
        # A folder of its own: rejects belong to the file they came from.
        arrived = folder.with_name(f"{folder.name}-{moment:%Y-%m-%d}")
        write_slice(folder, arrived, after=loaded_until, before=moment)
        load_folder(runtime.warehouse, arrived)
        loaded_until = moment

    def load_news(midnight: datetime) -> None:
        if midnight.weekday() in LOADING_DAYS:
            load_until(midnight)

    load_until(live_from)
    tell("Building the marts and scoring the history in one run (nobody is contacted)")
    runtime.launcher.run_weeks(company.first_week, live_from.date() - 2 * WEEK)
    let_weeks_happen(runtime, live_from, company.ends_at, tell, before_each_day=load_news)
    tell("Building the KPIs")
    runtime.launcher.run(KPIS_JOB)


def play_loaded(runtime: Runtime, first_week: date, ends_on: date, tell: Tell) -> None:
    """The same for data that is in the warehouse already, whole: score its history, let its last weeks happen."""
    live_from = _first_live_monday(ends_on)
    tell("Building the marts and scoring the history in one run (nobody is contacted)")
    runtime.launcher.run_weeks(first_week, live_from.date() - 2 * WEEK)
    let_weeks_happen(runtime, live_from, _midnight(ends_on), tell)


def let_weeks_happen(
    runtime: Runtime,
    first: datetime,
    last: datetime,
    tell: Tell,
    before_each_day: Callable[[datetime], None] = lambda _: None,
) -> None:
    """Every day from `first` to `last` (midnights in UTC, both included), through schedules and sensors."""
    timelapse = runtime.timelapse()
    midnight = first
    while midnight <= last:
        tell(f"It is {midnight:%A, %d %B %Y}")
        if midnight > first:
            before_each_day(midnight)
        timelapse.let_day_happen(midnight)
        midnight += DAY
    runtime.clock.set(last + EVENING)


def _first_live_monday(ends_on: date) -> datetime:
    return _midnight(ends_on) - WEEK * (LIVE_WEEKS - 1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def claim(warehouse: Warehouse, story: str) -> None:
    """Remember that the warehouse is this story's. Raises UserError when it holds anything else."""
    with warehouse.session() as session, session.cursor() as cursor:
        ensure_schema(cursor, "demo")
        cursor.execute("create table if not exists demo.story (name text primary key)")
        cursor.execute("select to_regclass('raw.accounts') is not null, (select min(name) from demo.story)")
        has_data, owner = cursor.fetchone() or (False, None)
        if has_data and owner != story:
            raise UserError(
                f"The warehouse at {warehouse.location} holds {f'the demo {owner}' if owner else 'data of yours'}; "
                "demos do not mix with it. Give this one a home of its own, such as "
                f"CS_PIPELINE_HOME=.cs_pipeline_{story}."
            )
        cursor.execute("insert into demo.story values (%s) on conflict do nothing", [story])
