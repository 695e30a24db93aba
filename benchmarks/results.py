"""The table of what was measured."""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.clocks import Took

RESULTS = Path(__file__).with_name("results.md")
MOST_GROWTH = 1.05
"""The aim of exponents: cost grows as accounts do, but for what a sort or a deeper index adds."""

READING = """
- *processor s* is the processor time of every process of the work, PostgreSQL's included. Ratios are ratios of it:
  wall time depends on who else uses the machine.
- *peak MB* is that of the Python process. dbt and PostgreSQL are processes of their own.
- The floor of a new week is the mart's own select with every metric, sums of the new events, the scores of one model
  and their deltas, and the same data tests, in one psql session ([whole_floor.sql](whole_floor.sql)). It keeps nothing
  for later and explains nothing. A smaller one computes the eight metrics of `weekly_points` and their scores by hand
  from the raw tables ([floor.sql](floor.sql)). The benchmark stops when points, scores or deltas of either differ from
  the pipeline's.
- "Beside the start-up" is the job less the same job for a company of a handful of accounts, measured right after it. Up
  to 10,000 accounts three new weeks are loaded and scored one after the other, and the least of each counts.

How cost grows: a new week costs the start-up, plus what grows with the *new* events (they are rolled up once, by day),
plus what grows with the accounts (a row each in the mart, the scores and the changes). Events of the past cost nothing
again: a week reads its windows from the roll-ups by day. A backfill pays the start-up once for all of its weeks.
*exponent* is that of processor time over accounts, between two sizes: 1 is ten times as much for ten times as many.

A tick of alert rules is that less what one costs with nothing due, which is Python's start and the reading of the
rules; neither dbt nor Dagster is started. Its floor asks the same views once in one psql session: it keeps no state and
tells nobody. Dagster's own start is in the first row of the table. The storm is a rule that finds so many accounts from
one hour to the next, its rows brought in within the time.

Mails that are due at once are claimed and recorded by one thread while others wait for the provider, which takes 50 ms
for an answer; the bare client has as many threads, and one mail that is written already. How many mails a request
carries depends on how many of a hundred have the same owner to answer to.
"""


@dataclass
class Measured:
    """Rows of the table: what, size, wall seconds, processor seconds, peak memory, what it comes to, and the aim."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    of_sizes: dict[str, dict[int, float]] = field(default_factory=dict)
    """Processor seconds by number of accounts, of what is said to grow with them."""

    def add(
        self, what: str, size: str, took: Took, peak_mb: float | None = None, comes_to: str = "", aim: str = ""
    ) -> None:
        """Keep and print one row."""
        peak = "" if peak_mb is None else f"{peak_mb:,.0f}"
        self._keep(what, size, f"{took.wall:,.1f}", f"{took.processor:,.1f}", peak, comes_to, aim)

    def grows(self, what: str, accounts: int, took: Took) -> None:
        """Remember what `what` took for so many accounts."""
        self.of_sizes.setdefault(what, {})[accounts] = took.processor

    def add_growth(self) -> None:
        """A row for each two sizes that follow: the exponent with which processor time grows with accounts."""
        for what, seconds in self.of_sizes.items():
            for (smaller, less), (larger, more) in pairwise(sorted(seconds.items())):
                exponent = math.log(more / less) / math.log(larger / smaller)
                size = f"{smaller:,} to {larger:,} accounts"
                self._keep(f"growth: {what}", size, "", "", "", f"exponent {exponent:.2f}", f"{MOST_GROWTH}")

    def _keep(self, *row: str) -> None:
        self.rows.append(row)
        print(" | ".join(row), flush=True)

    def write(self) -> None:
        """Keep the table in RESULTS, with the machine it was measured on."""
        load = os.getloadavg()[1]
        lines = [
            "# Benchmarks",
            "",
            f"`make bench` on {datetime.now(UTC).date()}: {os.cpu_count()} cores, Python {platform.python_version()}. "
            f"Load average at the end: {load:.1f}, where {os.cpu_count()} keeps the cores busy.",
            "",
            "| what | size | wall s | processor s | peak MB | comes to | aim |",
            "|---|---:|---:|---:|---:|---|---|",
            *("| " + " | ".join(row) + " |" for row in self.rows),
        ]
        kept = RESULTS.read_text().partition("\n## ") if RESULTS.exists() else ("", "", "")
        RESULTS.write_text("\n".join(lines) + "\n" + READING + kept[1] + kept[2])


def write_section(title: str, lines: Sequence[str]) -> None:
    """Put a section of its own, in place of the one of that title, below the table of `make bench`."""
    load = os.getloadavg()[1]
    measured = f"On {datetime.now(UTC).date()}, {os.cpu_count()} cores, load average {load:.1f}."
    before, *sections = RESULTS.read_text().split("\n## ")
    others = [section for section in sections if not section.startswith(f"{title}\n")]
    section = "\n".join([title, "", measured, *lines, ""])
    RESULTS.write_text("\n## ".join([before, *others, section]))
