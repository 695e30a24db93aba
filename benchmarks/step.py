"""One measured step in a process of its own, so that its memory is its own: `python -m benchmarks.step NAME …`.

Prints one line of JSON: seconds and processor_seconds (of the step, without Python's start and without other
processes), peak_mb (of this process) and rows.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import From, Mail, To

from benchmarks.score_marts import FIRST
from cs_pipeline.alerts.evaluate import evaluate_due, evaluate_rules
from cs_pipeline.alerts.replay import replay
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.rulebook import Rule as AlertRule
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.cli.runtime import open_runtime
from cs_pipeline.clock import Clock
from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.selection import Rule, Selection
from cs_pipeline.history.changes import record_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.dispatch import offer
from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.locate import locate

ENROLLED_TOGETHER = 1_000
CHUNK = 20_000


def weekly_job(first: str, last: str) -> int:
    """The weekly job for a range of weeks, in one run."""
    with open_runtime(load_settings()) as runtime:
        runtime.launcher.run_weeks(date.fromisoformat(first), date.fromisoformat(last))
    return 0


def scores_and_changes(models: str, weeks: str) -> int:
    """Scores and changes of the second to the last week of made-up marts, under models that are named with commas.

    The first model counts for everybody; the week before them is scored, too, but belongs to the set-up.
    """
    loaded = tuple(load_score_model(name) for name in models.split(","))
    selection = Selection((Rule(model=loaded[0].model),), loaded)
    asked = [FIRST + timedelta(weeks=number) for number in range(1, int(weeks))]
    warehouse = locate(load_settings())
    done = score_weeks(warehouse, selection, asked, Scope())
    record_changes(warehouse, selection, asked, Scope(), "backfill")
    return sum(week.active.accounts for week in done)


def sensor_tick(moment: str) -> int:
    """What the life cycle sensor asks each time, when every account has a trigger that nobody has decided on yet."""
    settings, now = load_settings(), datetime.fromisoformat(moment).replace(tzinfo=UTC)
    playbooks = load_playbooks(settings.config)
    with locate(settings).session() as session:
        found = offer(session, playbooks, {"lifecycle"}, None, now)
    return sum(len(batch.trigger_ids) for batch in found.batches)


def fill_outbox(moment: str, mails: str) -> int:
    """Enrol every account in a play of `mails` mails that are due at once."""
    settings, now = load_settings(), datetime.fromisoformat(moment).replace(tzinfo=UTC)
    warehouse = locate(settings)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
            select 'outbox:' || account_id, 'manual', account_id, account_id, %(now)s, %(now)s, '{"reason": "bench"}'
            from marts.dim_accounts
            returning trigger_id
            """,
            {"now": now},
        )
        triggers = [trigger_id for (trigger_id,) in cursor.fetchall()]
    step = {"day": 0, "channel": "email", "to": "champion", "template": "yellow_quick_guide", "intent": "educate"}
    playbook = Playbook.model_validate(
        {
            "playbook": "bench",
            "title": "Bench",
            "description": "Mails to everybody at once.",
            "family": "bench",
            "priority": 1,
            "trigger": {"kind": "manual"},
            "steps": [{**step, "step": f"mail{number}"} for number in range(int(mails))],
        }
    )
    chunks = [triggers[start : start + ENROLLED_TOGETHER] for start in range(0, len(triggers), ENROLLED_TOGETHER)]
    return sum(enrol(warehouse, playbook, chunk, settings, now).actions["planned"] for chunk in chunks)


def deliver_outbox(moment: str, mails: str) -> int:
    """Deliver so many of the mails that are due."""
    settings, clock = load_settings(), Clock(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    warehouse = locate(settings)
    channels = {"email": channels_for(settings, warehouse, clock)["email"]}
    summary = deliver_due(warehouse, channels, Renderer(settings), settings, clock, limit=int(mails))
    return summary.count("sent")


def bare_client(host: str, mails: str, at_a_time: str) -> int:
    """The floor of `deliver_outbox`: the vendor's client in threads, with a mail that is written already."""
    client = SendGridAPIClient("SG.bench", host=host)
    mail = Mail(From("us@example.com"), To("ada@example.com"), "A guide", "Hello Ada", "<p>Hello Ada</p>" * 400)
    with ThreadPoolExecutor(int(at_a_time)) as threads:
        return sum(1 for _ in threads.map(client.send, [mail] * int(mails)))


def alert_tick(moment: str) -> int:
    """Evaluate the alert rules that are due at the moment; returns how many."""
    settings = load_settings()
    return len(evaluate_due(locate(settings), settings, datetime.fromisoformat(moment)))


def alert_week(moment: str) -> int:
    """Evaluate the weekly alert rules as of the end of a week; returns how many."""
    settings, ends_at = load_settings(), datetime.fromisoformat(moment)
    week = (ends_at - timedelta(weeks=1)).date()
    return len(evaluate_due(locate(settings), settings, ends_at, week))


def alert_replay(first: str, last: str) -> int:
    """Replay the weekly rules over a past; returns at how many moments."""
    settings = load_settings()
    rules = {name: rule for name, rule in load_rules(settings.config).items() if rule.schedule.is_weekly}
    found = replay(locate(settings), settings, rules, datetime.fromisoformat(first), datetime.fromisoformat(last))
    return len(found.evaluations)


def alert_storm(moment: str, rows: str) -> int:
    """A rule that finds so many accounts at once, after it had found none: they are held."""
    settings, asked = load_settings(), datetime.fromisoformat(moment)
    warehouse = locate(settings)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create table if not exists alerts.bench_rows (since timestamptz, account_id text)")
        cursor.execute(
            """
            create or replace view alerts.bench_storm as
            select
                moments.as_of, found.account_id, found.account_id as entity, 1.0::double precision as measured,
                0.0::double precision as held_against, '{}'::jsonb as facts
            from (
                select unnest(string_to_array(current_setting('cs_pipeline.moments', true), ','))::timestamptz as as_of
            ) as moments
            inner join alerts.bench_rows as found on moments.as_of >= found.since
            """
        )
        cursor.execute(
            "insert into alerts.bench_rows select %s, 'storm-' || nth from generate_series(1, %s) as nth",
            [asked + timedelta(hours=1), int(rows)],
        )
    told = {"type": "risk", "polarity": "negative", "nature": "state", "schedule": "hourly", "notify": {"to": "owner"}}
    alert = Alert.model_validate({**told, "title": "Storm"})
    rules = {"bench_storm": AlertRule("bench_storm", alert, "custom", Path("bench_storm.yml"))}
    evaluate_rules(warehouse, rules, settings, asked)
    (evaluation,) = evaluate_rules(warehouse, rules, settings, asked + timedelta(hours=1))
    if evaluation.health != "held":
        raise SystemExit(f"the storm is not held: {evaluation}")
    return int(rows)


def arithmetic(rows: str) -> int:
    """Scores of made-up metrics, without a database."""
    model = Arithmetic(load_score_model("weekly_points"))
    for chunk in chunks(metrics(int(rows))):
        model.score(chunk)
    return int(rows)


def plain_numpy(rows: str) -> int:
    """The floor of `arithmetic`: the same points, added up by hand, explaining nothing."""
    for chunk in chunks(metrics(int(rows))):
        points_by_hand(chunk)
    return int(rows)


def points_by_hand(frame: pd.DataFrame) -> None:
    """Points, score and severity of `weekly_points`."""
    value = {name: frame[name].to_numpy() for name in frame}
    usage = np.select([value["seat_utilisation"] >= 0.8, value["seat_utilisation"] >= 0.5], [20.0, 10.0], 0.0)
    usage = usage + np.select([value["core_features_used"] >= 3, value["core_features_used"] >= 2], [20.0, 10.0], 0.0)
    flags = ("logged_in_7d", "opened_last_3_emails", "attended_training_ever")
    engagement = sum(10.0 * value[name] for name in flags)
    renewal = np.select([value["days_to_renewal"] > 90, value["days_to_renewal"] >= 30], [20.0, 10.0], 5.0)
    answers = np.select([value["nps_response"] > 8, value["nps_response"] >= 7], [20.0, 10.0], 0.0)
    business = np.minimum(20.0, renewal + answers)
    support = np.select([value["worst_open_ticket"] == 0, value["worst_open_ticket"] == 1], [10.0, 5.0], 0.0)
    score = usage + engagement + business + support
    np.select([score >= 70, score >= 40], [0, 1], 3)


def chunks(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """`frame` in pieces as large as the mart is read in."""
    for start in range(0, len(frame), CHUNK):
        yield frame.iloc[start : start + CHUNK]


def metrics(rows: int) -> pd.DataFrame:
    """Values for every metric of weekly_points."""
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "seat_utilisation": random.random(rows),
            "core_features_used": random.integers(0, 6, rows).astype(float),
            "logged_in_7d": random.integers(0, 2, rows).astype(float),
            "opened_last_3_emails": random.integers(0, 2, rows).astype(float),
            "attended_training_ever": random.integers(0, 2, rows).astype(float),
            "days_to_renewal": random.integers(-10, 365, rows).astype(float),
            "nps_response": random.integers(0, 11, rows).astype(float),
            "worst_open_ticket": random.integers(0, 3, rows).astype(float),
        }
    )


def _peak_mb() -> float:
    """Of this process alone: what getrusage knows is no less than what its parent had when it was started."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


STEPS: dict[str, Callable[..., int]] = {
    step.__name__: step
    for step in (
        weekly_job,
        scores_and_changes,
        sensor_tick,
        fill_outbox,
        deliver_outbox,
        bare_client,
        alert_tick,
        alert_week,
        alert_storm,
        alert_replay,
        arithmetic,
        plain_numpy,
    )
}


def main() -> None:
    """Run the step that the command line names."""
    name, *arguments = sys.argv[1:]
    began, processor_began = time.perf_counter(), time.process_time()
    rows = STEPS[name](*arguments)
    printed = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor_began,
        "peak_mb": _peak_mb(),
        "rows": rows,
    }
    print(json.dumps(printed))


if __name__ == "__main__":
    main()
