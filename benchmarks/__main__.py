"""`python -m benchmarks --accounts 1000,10000`: measure, print, and keep a table in benchmarks/results.md.

Every size gets an embedded server and a sample company of its own, in a temporary folder.
"""

import argparse

from benchmarks.alerts import measure_alerts, measure_replay
from benchmarks.bench import TIMES, WEEK, WEEKS, Bench, bench
from benchmarks.clocks import Took
from benchmarks.new_week import measure_new_week, measure_past, measure_start_up
from benchmarks.processes import answering
from benchmarks.results import RESULTS, Measured
from benchmarks.score_marts import create_marts
from cs_pipeline.channels.sendgrid import CALLS_AT_A_TIME

FEW_ACCOUNTS = 20  # for what a run costs however few they are
LONG_WEEKS, SHORT_WEEKS, SINGLE_WEEKS = 104, 10, 3
LONG_ACCOUNTS = 1_000
ROWS = 1_000_000
SCORED_ACCOUNTS = 100_000
OF_A_BARE_CLIENT = 0.8  # the aim
MAILS_AN_ACCOUNT, OWNERS = 4, 1_000
MOST_ACCOUNTS_WITH_ALL_MAILS = 10_000  # of more accounts each gets one
MOST_MAILS = 100_000  # that go out, however many are due
BARE_MAILS = 3_200


def measure_size(accounts: int, few: Bench, measured: Measured) -> None:
    """Loading, new weeks and the alert rules against their floors, a sensor's tick, and mails."""
    with bench(accounts, WEEKS) as made:
        measure_past(made, measured)
        measure_new_week(made, few, measured)
        measure_alerts(made, measured)
        measure_tick(made, measured)
        measure_outbox(made, measured)


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
    with bench(LONG_ACCOUNTS, LONG_WEEKS + TIMES + 1, events=1.0) as made:
        made.load_past()
        last = made.new_weeks[0] - WEEK
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
    with bench(FEW_ACCOUNTS, WEEKS) as few:
        measure_start_up(few, measured)
        measure_arithmetic(measured)
        measure_scores(measured)
        measure_history(measured)
        for accounts in sizes:
            measure_size(accounts, few, measured)
            measured.write()  # what was measured stays, should a larger size be broken off
    measured.add_growth()
    measured.write()
    print(f"\nKept in {RESULTS}")


if __name__ == "__main__":
    main()
