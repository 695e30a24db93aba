"""`python -m benchmarks --accounts 1000,10000`: measure, print a table, and keep it in benchmarks/results.md.

Every size gets an embedded server and a sample company of its own, in a temporary folder. Times of runs that start
processes are wall times on whatever machine this is; ratios to the floor of the same run say more.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer, binaries
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import migrate

FLOOR = Path(__file__).with_name("floor.sql")
RESULTS = Path(__file__).with_name("results.md")
WEEK = timedelta(days=7)
WARM_WEEKS = 8
LONG_WEEKS = 104
MOST_ACCOUNTS_FOR_LONG = 1_000
ROWS = 1_000_000


@dataclass
class Measured:
    """Rows of the table: what, size, seconds, peak memory, ratio to the floor."""

    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, size: str, seconds: float, peak_mb: float | None = None, ratio: str = "") -> None:
        """Keep and print one row."""
        row = (what, size, f"{seconds:,.2f}", "" if peak_mb is None else f"{peak_mb:,.0f}", ratio)
        self.rows.append(row)
        print(" | ".join(row), flush=True)

    def as_markdown(self) -> str:
        """The table, with the machine it was measured on."""
        today = datetime.now(UTC).date()
        lines = [
            f"Measured on {os.cpu_count()} cores, Python {platform.python_version()}, {today}.",
            "",
            "| what | size | seconds | peak MB | ratio to the floor |",
            "|---|---:|---:|---:|---|",
            *("| " + " | ".join(row) + " |" for row in self.rows),
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Bench:
    """A company in a warehouse, whose weeks but the last few are built."""

    warehouse: Warehouse
    company: SampleCompany
    folder: Path

    def step(self, name: str, *arguments: object) -> dict[str, Any]:
        """Run a step in a process of its own; its wall time with the start of Python is `process_seconds`."""
        environment = os.environ | {
            "CS_PIPELINE_DATABASE_URL": self.warehouse.url,
            "CS_PIPELINE_HOME": str(self.folder / "home"),
            "CS_PIPELINE_FIRST_WEEK": self.company.first_week.isoformat(),
        }
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.step", name, *map(str, arguments)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1]) | {"process_seconds": time.perf_counter() - began}

    def psql(self, week: date) -> float:
        """Seconds of the floor for `week`, in one psql session."""
        command = [str(binaries() / "psql"), "-q", "-d", self.warehouse.url, "-f", str(FLOOR)]
        variables = [f"as_of={week + WEEK}", f"previous={week - WEEK}", f"week={week}"]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, *(part for variable in variables for part in ("-v", variable))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(f"the floor failed:\n{done.stdout}{done.stderr}")
        return time.perf_counter() - began


@contextmanager
def bench(accounts: int, weeks: int, built: int, measured: Measured) -> Iterator[Bench]:
    """A company of `accounts` whose last `built` weeks but one are built; the last one is not even loaded."""
    company = SampleCompany(accounts=accounts, weeks=weeks, events_scale=1.0 if accounts <= 10_000 else 0.25)
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedServer(folder / "postgres")
        try:
            warehouse = Warehouse(server.start())
            migrate(warehouse)
            generate(folder / "sample", company)
            write_slice(folder / "sample", folder / "slice", before=company.ends_at - WEEK)
            report = load_folder(warehouse, folder / "slice")
            size = f"{report.rows_read:,} rows"
            measured.add(
                "load, first time", size, report.seconds, ratio=f"{report.rows_read / report.seconds:,.0f} rows/s"
            )
            made = Bench(warehouse, company, folder)
            last = company.ends_on - 2 * WEEK
            made.step("weekly_job", last - WEEK * (built - 1), last)
            yield made
        finally:
            server.stop()


def measure_new_week(made: Bench, measured: Measured) -> None:
    """One new week, warm, against the floor; the fixed start-up on its own."""
    week = made.company.ends_on - WEEK
    size = f"{made.company.accounts:,} accounts"
    fixed = made.step("weekly_job", week - WEEK, week - WEEK, "1990-01")
    measured.add("fixed start-up: the weekly job without accounts", size, fixed["process_seconds"], fixed["peak_mb"])
    write_slice(
        made.folder / "sample", made.folder / "slice", after=made.company.ends_at - WEEK, before=made.company.ends_at
    )
    load_folder(made.warehouse, made.folder / "slice")
    job = made.step("weekly_job", week, week)
    floor = min(made.psql(week) for _ in range(3))
    net = job["process_seconds"] - fixed["process_seconds"]
    measured.add("one new week: the whole job", size, job["process_seconds"], job["peak_mb"])
    measured.add("one new week: beside the start-up", size, net, None, f"{net / floor:.1f} × floor")
    alone = made.step("scores_and_changes", week, week)
    measured.add(
        "one new week: scores and changes alone",
        size,
        alone["seconds"],
        alone["peak_mb"],
        f"{alone['seconds'] / floor:.1f} × floor",
    )
    measured.add("floor: hand-written SQL, scores only", size, floor, None, agreement(made, week))


def agreement(made: Bench, week: date) -> str:
    """Whether floor and pipeline give the same points: the floor keeps its answer in `benchmark_floor`."""
    with psycopg2.connect(made.warehouse.url) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            select count(*), count(*) filter (where floor.points is not distinct from scores.points)
            from cs.health_scores as scores
            full join benchmark_floor as floor using (account_id)
            where scores.week = %s and scores.is_active
            """,
            [week],
        )
        total, same = cursor.fetchone() or (0, 0)
    return f"same points for {same:,} of {total:,}"


def measure_history(made: Bench, measured: Measured) -> None:
    """104 weeks in one run against a run per week; memory of few and of many weeks."""
    last = made.company.ends_on - 2 * WEEK
    first = last - WEEK * (LONG_WEEKS - 1)
    size = f"{made.company.accounts:,} accounts"
    few = made.step("weekly_job", last - 9 * WEEK, last)
    measured.add("10 weeks in one run", size, few["process_seconds"], few["peak_mb"])
    many = made.step("weekly_job", first, last)
    one = made.step("weekly_job", last, last)
    ratio = one["process_seconds"] * LONG_WEEKS / many["process_seconds"]
    measured.add(f"{LONG_WEEKS} weeks in one run", size, many["process_seconds"], many["peak_mb"])
    words = f"one run is {ratio:.0f} × faster"
    measured.add(
        f"{LONG_WEEKS} runs of one week (one measured, multiplied)",
        size,
        one["process_seconds"] * LONG_WEEKS,
        one["peak_mb"],
        words,
    )


def measure_arithmetic(made: Bench, measured: Measured) -> None:
    """Scoring alone, against plain numpy."""
    ours = min((made.step("arithmetic", ROWS) for _ in range(3)), key=lambda run: run["seconds"])
    floor = min((made.step("plain_numpy", ROWS) for _ in range(3)), key=lambda run: run["seconds"])
    size = f"{ROWS:,} account-weeks"
    rate = f"{ROWS / ours['seconds']:,.0f} rows/s, {ours['seconds'] / floor['seconds']:.1f} × floor"
    measured.add("scoring alone", size, ours["seconds"], ours["peak_mb"], rate)
    measured.add("floor: plain numpy", size, floor["seconds"], floor["peak_mb"])


def main() -> None:
    """Measure every size that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--accounts", default="1000,10000", help="sizes, separated by commas (up to 100000)")
    parser.add_argument("--no-history", action="store_true", help="leave out the 104 weeks")
    asked = parser.parse_args()
    measured = Measured()
    sizes = [int(size) for size in asked.accounts.split(",")]
    for accounts in sizes:
        with bench(accounts, WARM_WEEKS + 14, WARM_WEEKS, measured) as made:
            measure_new_week(made, measured)
            if accounts == sizes[0]:
                measure_arithmetic(made, measured)
    if not asked.no_history:
        with bench(min(sizes[0], MOST_ACCOUNTS_FOR_LONG), LONG_WEEKS + 2, LONG_WEEKS, measured) as made:
            measure_history(made, measured)
    RESULTS.write_text(measured.as_markdown())
    print(f"\n{measured.as_markdown()}\nKept in {RESULTS}")


if __name__ == "__main__":
    main()
