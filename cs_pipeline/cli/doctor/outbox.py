"""Examine the outbox: actions that wait for a person, pauses, stops, and notices that reached nobody."""

from collections.abc import Iterator
from datetime import datetime

from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.first_few import first_few
from cs_pipeline.reports.data_health.sends import sends
from cs_pipeline.warehouse.connection import Warehouse

SHOWN = 3  # subjects of notices


def examine_outbox(warehouse: Warehouse, now: datetime) -> Iterator[Finding]:
    """Every finding."""
    with warehouse.session() as session:
        found = sends(session, now)
    for status in sorted({row["status"] for row in found.stuck}):
        actions = sum(row["actions"] for row in found.stuck if row["status"] == status)
        words = f"actions that are {status}: {actions:,}; `cs-pipeline action list --status {status}` shows them"
        yield Finding("outbox", "note", words)
    if found.missed:
        words = f"{found.missed:,} actions were due while nobody was there to take them"
        shown = "`cs-pipeline action missed` shows them and what to decide"
        yield Finding("missed actions", "wrong", f"{words}: {shown}")
    for pause in found.pauses:
        words = f"{pause.channel} takes nothing since {pause.since:%Y-%m-%d %H:%M} UTC: {pause.detail}"
        now_again = f"`cs-pipeline play resume channel {pause.channel}`"
        again = f"it is tried again at {pause.paused_until:%H:%M}, or {now_again}"
        yield Finding("channel", "wrong", f"{words}; {again}")
    if found.untold:
        since = (f"{subject} ({since:%Y-%m-%d %H:%M} UTC)" for subject, since in found.untold)
        subjects = first_few(since, SHOWN, between="; ")
        yield Finding("operations", "wrong", f"could not be told: {subjects}")
    for trip in found.trips:
        playbook = trip["playbook"]
        words = f"{playbook} would be at work for {trip['accounts']:,} accounts, and has enrolled nobody"
        decide = f"decide with `cs-pipeline play release {playbook}` or `cs-pipeline play dismiss {playbook}`"
        yield Finding("circuit breaker", "wrong", f"{words}: {decide}")
    for stop in found.stops:
        yield Finding("kill switch", "note", f"{stop['scope']} {stop['name']} is stopped: {stop['reason']}")
