"""Keep what `up` started at work, and tell operations of what stands still: `python -m cs_pipeline.cli.watchdog`.

`up` starts it beside the daemon, on which it does not depend. Every few seconds it starts again what has ended by
itself: PostgreSQL where it is the embedded one, and, once PostgreSQL answers, code server, daemon, Dagster UI, the
site. Every minute it looks whether due actions wait and nobody takes them, and tells operations, once a cause and
period. In containers, where a platform restarts things, it only looks.
"""

import logging
import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.cli.services import DAEMON, services_to_keep
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.logs import set_up_logs
from cs_pipeline.plays.delivery.dispatcher import deliver_notices
from cs_pipeline.plays.outbox import operations
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.plays.outbox.standstill import (
    TOLD_AGAIN_AFTER,
    Standstill,
    Surroundings,
    waiting,
    what_stands_still,
)
from cs_pipeline.reports.alerts.lists import unevaluated
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import process_of
from cs_pipeline.warehouse.locate import embedded_server, locate

KEPT_EVERY = 10.0  # seconds
LOOKED_EVERY = 60.0
LONGEST_PAUSE = 300.0  # between starts of what ends again and again
NEW = timedelta(minutes=4)  # a daemon that has just been started has not looked yet
DELIVERIES = ("deliver_due_actions", "daily_plays", "run_playbooks")
DUE_SENSOR = "due_actions_sensor"

log = logging.getLogger(__name__)


@dataclass
class Keeper:
    """Starts again what has ended by itself, with growing pauses."""

    settings: Settings
    warehouse: Warehouse
    pauses: dict[str, float] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)

    def keep(self) -> None:
        """Look at everything once."""
        server = embedded_server(self.settings)
        if server.data.exists() and Warehouse(server.url).url == self.warehouse.url and not server.is_running:
            log.warning("PostgreSQL has ended: it is started again")
            try:
                server.start()
            except UserError as error:  # those who worked on it may not have left yet
                log.warning("%s", error)
                return
        processes = Processes(self.settings.home)
        ended = [
            service
            for service in services_to_keep(self.settings)
            if processes.is_wanted(service.name) and processes.pid(service.name) is None
        ]
        if ended and not self.warehouse.is_answering:
            log.warning("%s: started again when PostgreSQL answers", ", ".join(service.name for service in ended))
            return
        for service in ended:
            self._start_again(processes, service)

    def _start_again(self, processes: Processes, service: Service) -> None:
        now = time.monotonic()
        if now < self.not_before.get(service.name, 0.0):
            return
        lasted = now - self.not_before.get(service.name, 0.0) > LONGEST_PAUSE
        pause = KEPT_EVERY if lasted else min(2 * self.pauses.get(service.name, KEPT_EVERY), LONGEST_PAUSE)
        self.pauses[service.name], self.not_before[service.name] = pause, now + pause
        log.warning("the %s has ended: it is started again", service.name)
        processes.start(service, dict(os.environ))


def look(warehouse: Warehouse, now: datetime) -> Standstill | None:
    """What stands still on this database. Reads the tables of the outbox and of Dagster, asks no process."""
    with warehouse.session() as session:
        return what_stands_still(waiting(session, now), surroundings(session, now), now)


def look_at_alerts(warehouse: Warehouse, settings: Settings, now: datetime) -> Standstill | None:
    """Rules that were due hours ago and that nobody has asked; none where their files are wrong: the job tells."""
    try:
        rules = load_rules(settings.config)
    except UserError:
        return None
    with warehouse.session() as session:
        late = unevaluated(session, rules, now)
    if not late:
        return None
    names = ", ".join(sorted(name for name, _ in late))
    words = f"Due since {min(due for _, due in late):%Y-%m-%d %H:%M} UTC and not asked: {names}.\n"
    words += "See the job evaluate_alerts and its schedule in the Dagster UI; `cs-pipeline alert run` asks now."
    return Standstill("alerts", "Alert rules are not evaluated", words, 0)


def surroundings(session: Session, now: datetime) -> Surroundings:
    """What the daemon, the deliveries and the sensor of due actions are doing."""
    no_daemon = _why_no_daemon(session, now)
    with session.cursor() as cursor:
        cursor.execute(
            "select nspname from pg_class join pg_namespace n on n.oid = relnamespace "
            "where relname = 'job_ticks' and nspname in ('public', 'dagster') order by nspname limit 1"
        )
        found = cursor.fetchone()
        if found is None:
            return Surroundings(no_daemon)
        schema = found[0]
        cursor.execute(
            f"""
            select run_id, pipeline_name, status, create_timestamp at time zone 'UTC'
            from {schema}.runs
            where pipeline_name = any(%s) and status in ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
            order by create_timestamp
            limit 1
            """,
            [list(DELIVERIES)],
        )
        run = cursor.fetchone()
        words = f"The run {run[0]} of {run[1]} is {run[2]} since {run[3]:%Y-%m-%d %H:%M} UTC." if run else ""
        return Surroundings(no_daemon, run[3] if run else None, words, _why_no_tick(session, schema, now))


def _why_no_daemon(session: Session, now: datetime) -> str:
    daemon = process_of(session, DAEMON)
    if daemon is not None:
        is_there = daemon.is_alive or daemon.seconds_unseen < NEW.total_seconds()  # the keeper starts another
        return "" if is_there else f"The daemon ({daemon.words}) is gone: `cs-pipeline up` starts another."
    with session.cursor() as cursor:  # a plain dagster-daemon says it lives in a table of its own
        cursor.execute(
            "select coalesce(to_regclass('public.daemon_heartbeats'), to_regclass('dagster.daemon_heartbeats'))::text"
        )
        table = (cursor.fetchone() or (None,))[0]
        if table:
            cursor.execute(f"select max(timestamp) at time zone 'UTC' from {table}")
            last = (cursor.fetchone() or (None,))[0]
            if last and last > now - NEW:
                return ""
    return "No daemon is at work on this database: `cs-pipeline up` starts it."


def _why_no_tick(session: Session, schema: str, now: datetime) -> str:
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select status, timestamp at time zone 'UTC', tick_body::jsonb -> 'error' ->> 'message'
            from {schema}.job_ticks
            where type = 'SENSOR' and tick_body like %s
            order by timestamp desc
            limit 1
            """,
            [f'%"{DUE_SENSOR}"%'],
        )
        tick = cursor.fetchone()
    if tick is None:
        return (
            f"{DUE_SENSOR} was never evaluated: is it switched on in the Dagster UI, and does the code location load?"
        )
    status, at, error = tick
    if status == "FAILURE":
        return f"{DUE_SENSOR} fails: {(error or 'no reason given').strip()}"
    if at <= now - NEW:
        return (
            f"{DUE_SENSOR} was last evaluated at {at:%Y-%m-%d %H:%M} UTC: it is switched off in the Dagster UI, or the "
            "code location does not load."
        )
    return ""


def tell(found: Standstill, session: Session, settings: Settings, now: datetime) -> bool:
    """Plan a notice to operations; False when they were told of the cause within the period.

    Two watchdogs of one database tell once.
    """
    with session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('standstill'))")
        cursor.execute(
            "select exists (select from cs.notices where starts_with(notice_key, %s) and created_at > %s)",
            [f"standstill:{found.cause}:", now - TOLD_AGAIN_AFTER],
        )
        if (cursor.fetchone() or (False,))[0]:
            return False
    key = f"standstill:{found.cause}:{now:%Y-%m-%dT%H:%M}"
    return operations.notify(session, Notice(key, found.subject, found.words), settings, now)


def watch(settings: Settings, warehouse: Warehouse) -> None:
    """Look once, and hand over what operations are to be told: nobody else may be there who does."""
    clock = Clock(settings.now)
    now = clock.now()
    if found := look(warehouse, now) or look_at_alerts(warehouse, settings, now):
        log.warning("%s\n%s", found.subject, found.words)
        with warehouse.session() as session:
            tell(found, session, settings, now)
    deliver_notices(warehouse, channels_for(settings, warehouse, clock), settings, clock)


def main() -> None:
    """Keep and look until a signal ends it."""
    settings = load_settings()
    set_up_logs(settings.log_format)
    warehouse = locate(settings)
    keeper, looked, unreachable_since = Keeper(settings, warehouse), time.monotonic(), None
    while True:
        time.sleep(KEPT_EVERY)
        try:
            keeper.keep()
            if settings.now is not None or time.monotonic() - looked < LOOKED_EVERY:
                continue  # where the clock is set, nothing says how long something has been due
            looked = time.monotonic()
            watch(settings, warehouse)
            unreachable_since = None
        except (UserError, psycopg2.Error, OSError) as error:
            unreachable_since = unreachable_since or time.monotonic()
            log.error("since %.0f s: %s", time.monotonic() - unreachable_since, error)


if __name__ == "__main__":
    main()
