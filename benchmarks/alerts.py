"""What alert rules cost: a tick against the same views asked by psql, much history, many rows at once, a year's replay.

The floor asks every hourly rule's view once, at the same moment, in one psql session with the evaluator's settings, and
counts its rows: it keeps no state, tells nobody, and forgets nothing.
"""

import subprocess
from datetime import UTC, datetime, time, timedelta
from typing import Any

from benchmarks.bench import TIMES, WEEK, Bench
from benchmarks.clocks import Took, measure, processor_of, processor_of_step
from benchmarks.results import Measured
from cs_pipeline.alerts.findings import HASH_JOINS
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.warehouse.embedded import binaries

CLOSED_ALERTS = 200_000
FIRING_AT_ONCE = 100_000
REPLAYED_WEEKS = 52
HOUR = timedelta(hours=1)
ASKED_AT = time(8, tzinfo=UTC)  # the daily rules are asked at 6


def measure_alerts(made: Bench, measured: Measured) -> None:
    """An hourly tick at the end of the company, without and with a history; and a rule that fires for too many."""
    moment = datetime.combine(made.company.ends_on, ASKED_AT)
    first = made.step("alert_tick", moment.isoformat())
    measured.add(
        "alert rules, first evaluation of all that are due", made.size, *_row(first, f"{first[1]['rows']} rules")
    )
    start_up = min((made.step("alert_tick", moment.isoformat()) for _ in range(TIMES)), key=processor_of_step)
    measured.add(
        "alert rules, a tick with nothing due", made.size, *_row(start_up, "Python's start and reading the rules")
    )
    ticks = _ticks(made, moment)
    hourly = [rule.relation for rule in load_rules(None).values() if rule.alert.schedule == "hourly"]
    floor = min((_floor(made, hourly, moment + HOUR) for _ in range(TIMES)), key=processor_of)
    measured.add("floor: the views of the hourly rules in psql", made.size, floor, None, f"{len(hourly)} rules")
    net = _beside(ticks, start_up)
    measured.add(
        "alert rules, an hourly tick without news", made.size, net, ticks[1]["peak_mb"], _times(net, floor, "floor")
    )
    _close_alerts(made, moment)
    again = _beside(_ticks(made, moment + TIMES * HOUR), start_up)
    measured.add(
        f"the same with {CLOSED_ALERTS:,} closed alerts", made.size, again, None, _times(again, net, "without them")
    )
    storm = made.step("alert_storm", (moment + HOUR).isoformat(), FIRING_AT_ONCE)
    held = storm[1]["seconds"]
    measured.add(f"{FIRING_AT_ONCE:,} rows of a rule at once are held", made.size, *_row(storm, f"in {held:.1f} s"))


def measure_replay(made: Bench, measured: Measured) -> None:
    """A year of weekly moments against one, that of the newest week that is built: the views, and all that is done."""
    last = datetime.combine(made.new_weeks[0], time(tzinfo=UTC))
    moments = [last - nth * WEEK for nth in range(REPLAYED_WEEKS)]
    views = [rule.relation for rule in load_rules(None).values() if rule.alert.schedule == "weekly"]
    one = min((_floor(made, views, last) for _ in range(TIMES)), key=processor_of)
    year = _floor(made, views, *moments)
    measured.add("floor: the views of the weekly rules at one moment", made.size, one, None, f"{len(views)} rules")
    measured.add(f"the same at {REPLAYED_WEEKS} moments", made.size, year, None, _times(year, one, "one moment"))
    of_one, of_year = (_weeks_read(made, len(views), weeks) for weeks in (1, REPLAYED_WEEKS))
    words = f"{_times(of_year, of_one, 'one week')}; the views take {_times(year, of_year, 'it')}"
    measured.add(f"floor: {REPLAYED_WEEKS} weeks of the mart, read once a rule", made.size, of_year, None, words)
    made.step("alert_week", moments[1].isoformat())
    live = made.step("alert_week", last.isoformat())
    start_up = min((made.step("alert_week", last.isoformat()) for _ in range(TIMES)), key=processor_of_step)
    evaluated = _beside(live, start_up)
    measured.add("weekly rules evaluated, beside a run with nothing due", made.size, evaluated, live[1]["peak_mb"])
    run = made.step("alert_replay", moments[-1].isoformat(), last.isoformat())
    replayed = _beside(run, start_up)
    words = _times(replayed, evaluated, "one evaluation")
    measured.add(f"replay of {REPLAYED_WEEKS} weeks, the same", made.size, replayed, run[1]["peak_mb"], words)


def _ticks(made: Bench, after: datetime) -> tuple[Took, dict[str, Any]]:
    """The cheapest of the ticks of the hours after a moment."""
    moments = [after + nth * HOUR for nth in range(1, TIMES + 1)]
    return min((made.step("alert_tick", moment.isoformat()) for moment in moments), key=processor_of_step)


def _floor(made: Bench, views: list[str], *moments: datetime) -> Took:
    """Every view once, at the moments."""
    asked_at = ",".join(moment.isoformat() for moment in moments)
    settings = f"set search_path = cs, public; set cs_pipeline.moments = '{asked_at}'; begin; set local jit = off;"
    asked = "\n".join(f"select count(*) from (select * from {view} offset 0) as found;" for view in views)
    return _psql(made, f"{settings}\n{HASH_JOINS};\n{asked}\ncommit;")


def _weeks_read(made: Bench, times: int, weeks: int) -> Took:
    """One column of the newest weeks of the mart of account weeks, so many times: rows that most weekly rules read."""
    since = made.new_weeks[0] - weeks * WEEK
    in_weeks = f"week >= '{since}' and week < '{made.new_weeks[0]}'"
    return _psql(
        made, f"set jit = off;{f' select sum(tenure_days) from marts.fct_account_weeks where {in_weeks};' * times}"
    )


def _psql(made: Bench, script: str) -> Took:
    command = [str(binaries() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", made.warehouse.url, "-f", "-"]
    with measure(made.server) as took:
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the floor failed:\n{done.stderr}")
    return took


def _close_alerts(made: Bench, moment: datetime) -> None:
    """As many alerts of the hourly rules as a busy year leaves, closed within the last months."""
    made.execute(
        """
        insert into cs.alerts (
            rule, account_id, entity, state, cause, version, severity, since, since_clock, seen_at, fired_at, ended_at
        )
        select
            rules.rule, accounts.account_id, nth::text, 'resolved', 'condition', 'v', 'low',
            ended.at, 0, ended.at, ended.at, ended.at
        from (select distinct rule from cs.alert_evaluations) as rules
        cross join (select account_id from raw.accounts limit 50) as accounts
        cross join generate_series(1, 200) as nth
        cross join lateral (select %s - nth * interval '1 day' as at) as ended
        limit %s
        """,
        moment,
        CLOSED_ALERTS,
    )
    made.execute("analyze cs.alerts")


def _row(run: tuple[Took, dict[str, Any]], words: str) -> tuple[Took, float, str]:
    return run[0], run[1]["peak_mb"], words


def _beside(run: tuple[Took, dict[str, Any]], start_up: tuple[Took, dict[str, Any]]) -> Took:
    """A tick less what one costs that has nothing to do."""
    return Took(run[0].wall - start_up[0].wall, run[0].processor - start_up[0].processor)


def _times(took: Took, other: Took, what: str) -> str:
    return f"{took.processor / other.processor:.2f} × {what}"
