"""A generated company in a warehouse of its own, on which steps and floors are measured.

What is measured of it is told in the modules beside: `new_week`, `alerts`, and `__main__` for all of them.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.clocks import Took, measure, processor_of
from benchmarks.processes import run_step
from benchmarks.whole_floor import write_whole_floor
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer, binaries
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import migrate

FLOOR = Path(__file__).with_name("floor.sql")
WEEK = timedelta(days=7)
WEEKS, BUILT_WEEKS = 22, 8
FEWER_EVENTS = 0.25  # of the ordinary, so that the largest companies fit a laptop's disk, and all sizes compare
MOST_ACCOUNTS_WITH_ALL_WEEKS = 100_000
EVENT_WEEKS = 10  # of which companies beyond that have events, a hundred an account, and only logins and the like
FEW_BUILT_WEEKS = 2
MOST_ACCOUNTS_WITH_SEVERAL_NEW_WEEKS = 10_000
TIMES = 3


@dataclass(frozen=True)
class Bench:
    """A company in a warehouse; its new weeks have not been loaded."""

    warehouse: Warehouse
    company: SampleCompany
    folder: Path

    @property
    def server(self) -> Path:
        """Folder of the embedded server."""
        return self.folder / "postgres"

    @property
    def new_week(self) -> date:
        """The last week."""
        return self.company.ends_on - WEEK

    @property
    def new_weeks(self) -> list[date]:
        """The weeks that are loaded and scored one after the other, when all before them are; the last one included."""
        several = self.company.accounts <= MOST_ACCOUNTS_WITH_SEVERAL_NEW_WEEKS
        return [self.new_week - WEEK * earlier for earlier in reversed(range(TIMES if several else 1))]

    @property
    def is_huge(self) -> bool:
        """Whether the company is so large that its older events, and most of its scored weeks, are left out."""
        return self.company.accounts > MOST_ACCOUNTS_WITH_ALL_WEEKS

    @property
    def built_weeks(self) -> int:
        """How many weeks are scored before the new one."""
        return FEW_BUILT_WEEKS if self.is_huge else BUILT_WEEKS

    @property
    def times(self) -> int:
        """How often a floor is measured, of which the least counts."""
        return 1 if self.is_huge else TIMES

    @property
    def size(self) -> str:
        """The size in words."""
        return f"{self.company.accounts:,} accounts"

    def step(self, name: str, *arguments: object, **settings: str) -> tuple[Took, dict[str, Any]]:
        """Run a step in a process of its own; what it took, with the start of Python, and what it printed."""
        environment = settings | {
            "CS_PIPELINE_DATABASE_URL": self.warehouse.url,
            "CS_PIPELINE_HOME": str(self.folder / "home"),
            "CS_PIPELINE_FIRST_WEEK": self.company.first_week.isoformat(),
        }
        with measure(self.server) as took:
            printed = run_step(environment, name, *arguments)
        return took, printed

    def floor(self) -> Took:
        """The eight metrics of a model and its scores for the new week, from the raw tables, in one psql session."""
        week = self.new_week
        return self.psql(FLOOR, as_of=week + WEEK, previous=week - WEEK, week=week)

    def whole_floor(self) -> Took:
        """The whole new week, in one psql session: see whole_floor.sql."""
        script = write_whole_floor(self.warehouse, self.new_week, self.company.ends_at.isoformat(), self.folder)
        previous = self.new_week - WEEK
        ((built,),) = self.execute("select max(newest_load_id) from cs.scored_weeks where week = %s", previous)
        return min((self.psql(script, built=built, previous=previous) for _ in range(self.times)), key=processor_of)

    def psql(self, script: Path, **variables: object) -> Took:
        """Run a script in one psql session."""
        command = [str(binaries() / "psql"), "-q", "-d", self.warehouse.url, "-f", str(script)]
        command += [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        with measure(self.server) as took:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the floor failed:\n{done.stdout}{done.stderr}")
        return took

    def load_past(self) -> tuple[Took, int]:
        """Load what was known before the new weeks; returns the rows read, too."""
        write_slice(self.folder / "sample", self.folder / "slice", before=self._start_of(self.new_weeks[0]))
        if self.is_huge:
            keep_events(self.folder / "slice", self.company.ends_at - EVENT_WEEKS * WEEK)
        return self._load_slice()

    def load_week(self, week: date) -> tuple[Took, int]:
        """Load what a week brought; returns the rows read, too."""
        start = self._start_of(week)
        write_slice(self.folder / "sample", self.folder / "slice", after=start, before=start + WEEK)
        return self._load_slice()

    def _start_of(self, week: date) -> datetime:
        return self.company.ends_at - (self.company.ends_on - week)

    def _load_slice(self) -> tuple[Took, int]:
        with measure(self.server) as took:
            report = load_folder(self.warehouse, self.folder / "slice")
        return took, report.rows_read

    def execute(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """One statement, in a transaction of its own."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


def keep_events(folder: Path, since: datetime) -> None:
    """Leave only events from `since` on in the Parquet files of a folder, one by one."""
    for path in sorted((folder / "events").glob("*.parquet")):
        pq.write_table(pq.read_table(path, filters=[("occurred_at", ">=", since)]), path)


@contextmanager
def bench(accounts: int, weeks: int, events: float = FEWER_EVENTS) -> Iterator[Bench]:
    """A generated company, with that share of the ordinary events, and an empty warehouse for it."""
    if accounts > MOST_ACCOUNTS_WITH_ALL_WEEKS:
        events = 0
    company = SampleCompany(accounts=accounts, weeks=weeks, events_scale=events)
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        server = EmbeddedServer(folder / "postgres")
        try:
            warehouse = Warehouse(server.start())
            migrate(warehouse)
            generate(folder / "sample", company)
            yield Bench(warehouse, company, folder)
        finally:
            server.stop()
