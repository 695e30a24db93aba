"""What a new week costs: its load in rows a second, and the weekly job against the same work in one psql session."""

from typing import Any

from benchmarks.bench import TIMES, WEEK, Bench
from benchmarks.clocks import Took, processor_of, processor_of_step
from benchmarks.results import Measured

LOADED_A_SECOND, TIMES_THE_FLOOR = 80_000, 2  # the aims


def measure_start_up(few: Bench, measured: Measured) -> None:
    """What a weekly job costs that has next to nothing to do; the least of several."""
    few.load_past()
    took, printed = start_up(few)
    measured.add("fixed start-up: the weekly job", few.size, took, printed["peak_mb"], aim="15 processor s")


def start_up(few: Bench) -> tuple[Took, dict[str, Any]]:
    """A weekly job of the company with a handful of accounts, for a week that it had; the least of several.

    One more comes before them: dbt parses its project anew when the last job was of another database.
    """
    week = few.new_weeks[0] - WEEK
    few.step("weekly_job", week, week)
    return min((few.step("weekly_job", week, week) for _ in range(TIMES)), key=processor_of_step)


def measure_past(made: Bench, measured: Measured) -> None:
    """The first load, in rows a second; then the weeks before the new ones, which are not measured."""
    took, rows = made.load_past()
    _add_load("first load", made, measured, took, rows, aim="")
    last = made.new_weeks[0] - WEEK
    made.step("weekly_job", last - WEEK * (made.built_weeks - 1), last)


def measure_new_week(made: Bench, few: Bench, measured: Measured) -> None:
    """Each new week loaded and scored, warm, against the floor; the least of them counts.

    The start-up is measured again after them, by the company with a handful of accounts, `few`: a machine that is
    slower in one hour than in the next is so for both. Raises SystemExit when the answers of pipeline and floor differ.
    """
    loads, jobs = [], []
    for week in made.new_weeks:
        loads.append(made.load_week(week))
        jobs.append(made.step("weekly_job", week, week))
    beside, _ = start_up(few)
    took, rows = min(loads, key=lambda load: load[0].processor / load[1])
    _add_load("load of a new week", made, measured, took, rows, aim=f"{LOADED_A_SECOND:,} rows/s")
    job, printed = min(jobs, key=processor_of_step)
    of_eight = min((made.floor() for _ in range(made.times)), key=processor_of)
    agreed = agreement(made)
    whole = made.whole_floor()
    agreement(made)
    net = Took(job.wall - beside.wall, job.processor - beside.processor)
    measured.add("floor: eight metrics and their scores in one psql session", made.size, of_eight, None, agreed)
    measured.add("floor: every metric, scores and tests in one psql session", made.size, whole, None, agreed)
    start_up_words = f"{beside.processor:.1f} processor s of them start-up"
    measured.add("new week: the whole job", made.size, job, printed["peak_mb"], start_up_words)
    over_whole, over_eight = net.processor / whole.processor, net.processor / of_eight.processor
    ratios = f"{over_whole:.1f} × floor ({over_eight:.1f} × that of eight metrics)"
    what = "new week: beside the start-up"
    measured.add(what, made.size, net, None, ratios, aim=f"{TIMES_THE_FLOOR} × floor")
    measured.grows(what, made.company.accounts, net)


def _add_load(what: str, made: Bench, measured: Measured, took: Took, rows: int, *, aim: str) -> None:
    measured.add(what, f"{made.size}, {rows:,} rows", took, comes_to=f"{rows / took.wall:,.0f} rows/s", aim=aim)
    measured.grows(what, made.company.accounts, took)


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
