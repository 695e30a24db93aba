"""Read the figures of GAUGES. A handful of statements, each by an index or over a table of few rows."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from importlib.metadata import PackageNotFoundError, version

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.outbox import channel_pauses, operations, standstill
from cs_pipeline.reports.data_health.sends import stuck
from cs_pipeline.reports.data_health.sources import longest_age_allowed
from cs_pipeline.reports.monitoring.exposition import Gauge, Reading
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.rows import read_rows

STUCK = ("uncertain", "failed")
SEVERITIES = ("urgent", "high", "medium", "low")
DAEMON = "daemon"

BUILD = Gauge("build_info", "Always 1; the version of the code that answers.", ("version",))
DUE = Gauge("actions_due", "Actions that are due and could be taken now.", ("channel",))
OLDEST_DUE = Gauge("oldest_due_action_age_seconds", "For how long the oldest of them is due.", ("channel",))
STUCK_ACTIONS = Gauge(
    "actions_stuck",
    "Actions that need a person: uncertain (nobody knows whether they arrived) or failed (refused for good).",
    ("status", "channel"),
)
PAUSED = Gauge("channel_paused", "1 while a channel takes nothing, because its provider refuses us.", ("channel",))
UNTOLD = Gauge("notices_untold", "What operations were to be told in the last 14 days and nobody has been told.")
FAILED_TICKS = Gauge(
    "ticks_failed_last_hour", "Ticks of a schedule or sensor that failed in the last hour.", ("type", "name")
)
LAST_TICK = Gauge(
    "last_tick_timestamp_seconds", "When a schedule or sensor that is switched on last ticked.", ("type", "name")
)
DAEMON_SEEN = Gauge("daemon_seen_timestamp_seconds", "When the Dagster daemon last said that it is at work.")
SCORED_WEEK = Gauge("last_scored_week_timestamp_seconds", "Monday of the newest week a model has scored.", ("model",))
LOADED = Gauge("source_loaded_timestamp_seconds", "When a load last read a row of a source.", ("source",))
ALLOWED = Gauge("source_allowed_age_seconds", "How old the newest row of a source may be.", ("source",))
ALERTS = Gauge("alerts_open", "Alerts of accounts that go on, those of the baseline left out.", ("severity",))

GAUGES = (
    BUILD, DUE, OLDEST_DUE, STUCK_ACTIONS, PAUSED, UNTOLD, FAILED_TICKS, LAST_TICK, DAEMON_SEEN, SCORED_WEEK, LOADED,
    ALLOWED, ALERTS,
)  # fmt: skip


def readings(session: Session, rules: Mapping[str, Rule], now: datetime) -> Iterator[Reading]:
    """All of them, as of `now`."""
    yield Reading(BUILD, (_version(),), 1)
    for read in (_due, _stuck, _paused, _untold, _ticks, _daemon, _weeks, _sources, _alerts):
        yield from read(session, now)
    for name, table in read_contract().tables.items():
        age, _ = longest_age_allowed(table, rules)
        if age is not None:
            yield Reading(ALLOWED, (name,), age.total_seconds())


def _due(session: Session, now: datetime) -> Iterator[Reading]:
    waiting = {each.channel: each for each in standstill.waiting(session, now)}
    for channel in sorted({*KINDS, *waiting}):
        found = waiting.get(channel)
        yield Reading(DUE, (channel,), found.actions if found else 0)
        yield Reading(OLDEST_DUE, (channel,), max((now - found.since).total_seconds(), 0) if found else 0)


def _stuck(session: Session, _: datetime) -> Iterator[Reading]:
    found = {(row["status"], row["channel"]): row["actions"] for row in stuck(session)}
    none = {(status, channel): 0 for status in STUCK for channel in KINDS}
    for labels, actions in sorted((none | found).items()):
        yield Reading(STUCK_ACTIONS, labels, actions)


def _paused(session: Session, now: datetime) -> Iterator[Reading]:
    pauses = channel_pauses.read(session)
    for channel in sorted({*KINDS, *pauses}):
        yield Reading(PAUSED, (channel,), channel in pauses and pauses[channel].is_on(now))


def _untold(session: Session, now: datetime) -> Iterator[Reading]:
    yield Reading(UNTOLD, (), len(operations.untold(session, now)))


def _ticks(session: Session, now: datetime) -> Iterator[Reading]:
    """Of what Dagster has ticked at all; nothing before its tables are there."""
    if (schema := _schema_of_dagster(session)) is None:
        return
    for row in read_rows(session, read_sql(__file__, "ticks", schema=schema), {"now": now}):
        labels = (row["type"], row["name"])
        yield Reading(FAILED_TICKS, labels, row["failed"])
        if row["is_on"]:
            yield Reading(LAST_TICK, labels, row["last"].timestamp())


def _daemon(session: Session, _: datetime) -> Iterator[Reading]:
    """Ours says so in cs.living_processes, a plain `dagster-daemon run` in a table of Dagster's."""
    said = f"select seen_at from cs.living_processes where task = '{DAEMON}'"
    if (schema := _schema_of_dagster(session)) is not None:
        said += f" union all select timestamp at time zone 'UTC' from {schema}.daemon_heartbeats"
    (row,) = read_rows(session, f"select max(seen_at) as seen_at from ({said}) as said", {})
    if row["seen_at"] is not None:
        yield Reading(DAEMON_SEEN, (), row["seen_at"].timestamp())


def _schema_of_dagster(session: Session) -> str | None:
    found = read_rows(
        session,
        "select schemaname from pg_tables where tablename = 'job_ticks' and schemaname in ('public', 'dagster') "
        "order by schemaname = 'dagster' limit 1",
        {},
    )
    return found[0]["schemaname"] if found else None


def _weeks(session: Session, _: datetime) -> Iterator[Reading]:
    for row in read_rows(session, "select model, max(week) as week from cs.scored_weeks group by model order by 1", {}):
        yield Reading(SCORED_WEEK, (row["model"],), _begin_of(row["week"]))


def _sources(session: Session, _: datetime) -> Iterator[Reading]:
    loaded = """
        select source_table, max(finished_at) as loaded_at
        from cs.loads
        where rows_read > 0 and finished_at is not null
        group by source_table
        order by source_table
    """
    for row in read_rows(session, loaded, {}):
        yield Reading(LOADED, (row["source_table"],), row["loaded_at"].timestamp())


def _alerts(session: Session, _: datetime) -> Iterator[Reading]:
    going_on = """
        select severity, count(*) as alerts
        from cs.alerts
        where state in ('firing', 'recovering') and not is_held and not is_baseline
        group by severity
    """
    found = {row["severity"]: row["alerts"] for row in read_rows(session, going_on, {})}
    for severity in SEVERITIES:
        yield Reading(ALERTS, (severity,), found.get(severity, 0))


def _begin_of(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _version() -> str:
    try:
        return version("cs-pipeline")
    except PackageNotFoundError:
        return "unknown"
