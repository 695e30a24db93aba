"""`python -m benchmarks --accounts 1000,10000`: measure, print, and keep a table in benchmarks/results.md.

Every size gets an embedded server and a sample company of its own, in a temporary folder.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.alerts import measure_alerts, measure_replay
from benchmarks.clocks import Took, measure
from benchmarks.processes import answering, run_step
from benchmarks.results import RESULTS, Measured
from benchmarks.score_marts import create_marts
from benchmarks.whole_floor import write_whole_floor
from cs_pipeline.channels.sendgrid import CALLS_AT_A_TIME
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer, binaries
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import migrate

FLOOR = Path(__file__).with_name("floor.sql")
WEEK = timedelta(days=7)
FEW_ACCOUNTS = 20  # for what a run costs however few they are
WEEKS, BUILT_WEEKS = 22, 8
LONG_WEEKS, SHORT_WEEKS, SINGLE_WEEKS = 104, 10, 3
LONG_ACCOUNTS = 1_000
FEWER_EVENTS = 0.25  # of the ordinary, so that the largest companies fit a laptop's disk, and all sizes compare
MOST_ACCOUNTS_WITH_ALL_WEEKS = 100_000
EVENT_WEEKS = 10  # of which companies beyond that have events, a hundred an account, and only logins and the like
FEW_BUILT_WEEKS = 2
ROWS = 1_000_000
SCORED_ACCOUNTS = 100_000
TIMES = 3
LOADED_A_SECOND, TIMES_THE_FLOOR, OF_A_BARE_CLIENT = 80_000, 2, 0.8  # the aims
MAILS_AN_ACCOUNT, OWNERS = 4, 1_000
MOST_ACCOUNTS_WITH_ALL_MAILS = 10_000  # of more accounts each gets one
MOST_MAILS = 100_000  # that go out, however many are due
BARE_MAILS = 3_200


@dataclass(frozen=True)
class Bench:
    """A company in a warehouse; its last week has not been loaded."""

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
        return min((self.psql(script, built=built, previous=previous) for _ in range(self.times)), key=_processor)

    def psql(self, script: Path, **variables: object) -> Took:
        """Run a script in one psql session."""
        command = [str(binaries() / "psql"), "-q", "-d", self.warehouse.url, "-f", str(script)]
        command += [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        with measure(self.server) as took:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the floor failed:\n{done.stdout}{done.stderr}")
        return took

    def load(self, *, new_week: bool) -> tuple[Took, int]:
        """Load what was known before the new week, or what the new week brought; returns the rows read, too."""
        before_it, end = self.company.ends_at - WEEK, self.company.ends_at
        if new_week:
            write_slice(self.folder / "sample", self.folder / "slice", after=before_it, before=end)
        else:
            write_slice(self.folder / "sample", self.folder / "slice", before=before_it)
            if self.is_huge:
                keep_events(self.folder / "slice", self.company.ends_at - EVENT_WEEKS * WEEK)
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


def measure_start_up(measured: Measured) -> Took:
    """What a weekly job costs that has next to nothing to do; the least of several."""
    with bench(FEW_ACCOUNTS, WEEKS) as made:
        made.load(new_week=False)
        week = made.new_week - WEEK
        made.step("weekly_job", week, week)
        runs = [made.step("weekly_job", week, week) for _ in range(TIMES)]
        took, printed = min(runs, key=lambda run: run[0].processor)
        measured.add("fixed start-up: the weekly job", made.size, took, printed["peak_mb"], aim="15 processor s")
        return took


def measure_size(accounts: int, start_up: Took, measured: Measured) -> None:
    """Loading, one new week and the alert rules against their floors, a sensor's tick, and mails."""
    with bench(accounts, WEEKS) as made:
        measure_load(made, "first load", measured, new_week=False)
        last = made.new_week - WEEK
        made.step("weekly_job", last - WEEK * (made.built_weeks - 1), last)
        measure_load(made, "load of a new week", measured, new_week=True)
        measure_new_week(made, start_up, measured)
        measure_alerts(made, measured)
        measure_tick(made, measured)
        measure_outbox(made, measured)


def measure_load(made: Bench, what: str, measured: Measured, *, new_week: bool) -> None:
    """One load, in rows a second."""
    took, rows = made.load(new_week=new_week)
    aim = f"{LOADED_A_SECOND:,} rows/s" if new_week else ""
    size = f"{made.size}, {rows:,} rows"
    measured.add(what, size, took, comes_to=f"{rows / took.wall:,.0f} rows/s", aim=aim)
    measured.grows(what, made.company.accounts, took)


def measure_new_week(made: Bench, start_up: Took, measured: Measured) -> None:
    """One new week, warm, against the floor. Raises SystemExit when the two answers differ."""
    week = made.new_week
    job, printed = made.step("weekly_job", week, week)
    few = min((made.floor() for _ in range(made.times)), key=_processor)
    agreed = agreement(made)
    whole = made.whole_floor()
    agreement(made)
    net = Took(job.wall - start_up.wall, job.processor - start_up.processor)
    measured.add("floor: eight metrics and their scores in one psql session", made.size, few, None, agreed)
    measured.add("floor: every metric, scores and tests in one psql session", made.size, whole, None, agreed)
    measured.add("new week: the whole job", made.size, job, printed["peak_mb"])
    ratios = (
        f"{net.processor / whole.processor:.1f} × floor ({net.processor / few.processor:.1f} × that of eight metrics)"
    )
    what = "new week: beside the start-up"
    measured.add(what, made.size, net, None, ratios, aim=f"{TIMES_THE_FLOOR} × floor")
    measured.grows(what, made.company.accounts, net)


def _processor(took: Took) -> float:
    return took.processor


def agreement(made: Bench) -> str:
    """In words, that floor and pipeline agree. Raises SystemExit when points, scores or deltas differ."""
    found = made.execute(
        """
        with scores as (
            select * from cs.health_scores where week = %s and is_active
        )

        select
            count(*),
            count(*) filter (where floor.points is not distinct from scores.points),
            count(*) filter (where abs(floor.score - scores.score) < 1e-9),
            count(*) filter (where abs(coalesce(floor.delta, 0) - coalesce(changes.delta, 0)) < 1e-9)
        from scores
        full join benchmark_floor as floor using (account_id)
        left join cs.score_changes as changes
            on
                scores.account_id = changes.account_id
                and scores.week = changes.week
                and scores.model_version = changes.model_version
        """,
        made.new_week,
    )
    ((accounts, points, scores, deltas),) = found
    if not accounts or {points, scores, deltas} != {accounts}:
        raise SystemExit(
            f"floor and pipeline differ: of {accounts} accounts {points} have the same points, "
            f"{scores} the same score, {deltas} the same delta"
        )
    return f"same points, scores and deltas for all {accounts:,}"


def measure_tick(made: Bench, measured: Measured) -> None:
    """A sensor's question while every account waits for an answer."""
    made.execute(
        """
        insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
        select 'bench:' || account_id, 'lifecycle', account_id, account_id, %s, %s, '{"anchor": "signup"}'
        from raw.accounts
        """,
        made.new_week,
        made.new_week,
    )
    _, printed = made.step("sensor_tick", made.new_week + WEEK)
    took = Took(printed["seconds"], printed["processor_seconds"])
    measured.add("a sensor's tick, a trigger waiting for every account", made.size, took, printed["peak_mb"])


def measure_outbox(made: Bench, measured: Measured) -> None:
    """Mails of many owners that are all due at once, against a bare client with as many calls at a time."""
    noon = f"{made.company.ends_on}T12:00:00"
    with answering() as host:
        live = {"DELIVERY": "live", "SENDGRID_API_KEY": "SG.bench", "SLACK_BOT_TOKEN": "xoxb", "SENDGRID_HOST": host}
        open_hours = {
            "MAIL_FROM_HOUR": "0",
            "MAIL_UNTIL_HOUR": "24",
            "MAILS_PER_PERSON": "99",
            "MAILS_PER_ACCOUNT": "99",
        }
        settings = {
            f"CS_PIPELINE_{name}": value for name, value in {**live, **open_hours, "BREAKER_SHARE": "1"}.items()
        }
        # Mails of one owner share a request: so many owners that few do.
        made.execute("update raw.accounts set owner_email = abs(hashtext(account_id)) %% %s || '@example.com'", OWNERS)
        floor = made.step("bare_client", host, BARE_MAILS, CALLS_AT_A_TIME)[1]
        bare = BARE_MAILS / floor["seconds"]
        few = made.company.accounts <= MOST_ACCOUNTS_WITH_ALL_MAILS
        planned = made.step("fill_outbox", noon, MAILS_AN_ACCOUNT if few else 1, **settings)[1]["rows"]
        _, printed = made.step("deliver_outbox", noon, MOST_MAILS, **settings)
    took = Took(printed["seconds"], printed["processor_seconds"])
    ours = printed["rows"] / took.wall
    words = f"{ours:,.0f} mails/s, {ours / bare:.2f} × a bare client ({bare:,.0f} mails/s)"
    what = f"everything due at once, {OWNERS:,} owners, {CALLS_AT_A_TIME} calls at a time"
    aim = f"{OF_A_BARE_CLIENT} × a bare client"
    measured.add(what, f"{printed['rows']:,} mails of {planned:,} due", took, printed["peak_mb"], words, aim=aim)


def measure_arithmetic(measured: Measured) -> None:
    """Scoring alone, against plain numpy."""
    with bench(FEW_ACCOUNTS, WEEKS) as made:
        runs = {
            name: min((made.step(name, ROWS)[1] for _ in range(TIMES)), key=lambda run: run["processor_seconds"])
            for name in ("arithmetic", "plain_numpy")
        }
    size = f"{ROWS:,} account-weeks"
    ours, floor = (Took(run["seconds"], run["processor_seconds"]) for run in runs.values())
    ratio = f"{ROWS / ours.wall:,.0f} rows/s, {ours.processor / floor.processor:.1f} × floor"
    measured.add("floor: plain numpy", size, floor, runs["plain_numpy"]["peak_mb"])
    measured.add("scoring alone", size, ours, runs["arithmetic"]["peak_mb"], ratio)


def measure_scores(measured: Measured) -> None:
    """Scores and changes through PostgreSQL: one model and four, few weeks and many."""
    one, four = ("weekly_points",), ("weekly_points", "usage_engagement_business", "five_factor", "five_factor_capped")
    of_one = Took()
    for accounts, weeks, models in (
        (SCORED_ACCOUNTS, 3, one),
        (SCORED_ACCOUNTS, 3, four),
        (SCORED_ACCOUNTS // 4, 1, one),
        (SCORED_ACCOUNTS // 4, 12, one),
    ):
        with bench(FEW_ACCOUNTS, WEEKS) as made:
            create_marts(made.warehouse, accounts, weeks + 1)
            took, printed = made.step("scores_and_changes", ",".join(models), weeks + 1)
        words = f"{60 * accounts * weeks / printed['seconds']:,.0f} account-weeks a minute"
        if models == four:
            words += f", {took.processor / of_one.processor:.1f} × one model"
        elif accounts == SCORED_ACCOUNTS:
            of_one = took
        what = f"scores and changes, {len(models)} model{'s' if len(models) > 1 else ''}"
        measured.add(what, f"{accounts:,} accounts × {weeks} weeks", took, printed["peak_mb"], words)


def measure_history(measured: Measured) -> None:
    """104 weeks in one run against a run a week; memory of few and of many weeks; alert rules over a year."""
    with bench(LONG_ACCOUNTS, LONG_WEEKS + 2, events=1.0) as made:
        made.load(new_week=False)
        last = made.new_week - WEEK
        made.step("weekly_job", last, last)
        few, printed = made.step("weekly_job", last - WEEK * (SHORT_WEEKS - 1), last)
        measured.add(f"{SHORT_WEEKS} weeks in one run", made.size, few, printed["peak_mb"])
        many, printed = made.step("weekly_job", last - WEEK * (LONG_WEEKS - 1), last)
        measured.add(f"{LONG_WEEKS} weeks in one run", made.size, many, printed["peak_mb"])
        weeks = [last - WEEK * (LONG_WEEKS * nth // SINGLE_WEEKS) for nth in range(SINGLE_WEEKS)]
        runs = [made.step("weekly_job", week, week)[0] for week in weeks]
        wall, processor = (sum(getattr(run, clock) for run in runs) for clock in ("wall", "processor"))
        all_weeks = Took(wall / SINGLE_WEEKS * LONG_WEEKS, processor / SINGLE_WEEKS * LONG_WEEKS)
        ratio = f"one run is {all_weeks.processor / many.processor:.0f} × faster"
        what = f"{LONG_WEEKS} runs of a week ({SINGLE_WEEKS} measured, multiplied)"
        measured.add(what, made.size, all_weeks, None, ratio)
        measure_replay(made, measured)


def main() -> None:
    """Measure every size that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--accounts", default="1000,10000", help="sizes, separated by commas")
    sizes = sorted(int(size) for size in parser.parse_args().accounts.split(","))
    measured = Measured()
    start_up = measure_start_up(measured)
    measure_arithmetic(measured)
    measure_scores(measured)
    measure_history(measured)
    for accounts in sizes:
        measure_size(accounts, start_up, measured)
        measured.write()  # what was measured stays, should a larger size be broken off
    measured.add_growth()
    measured.write()
    print(f"\nKept in {RESULTS}")


if __name__ == "__main__":
    main()
