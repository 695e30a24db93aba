"""Examine the outbox: actions that wait for a person, pauses, stops, and notices that reached nobody."""

from collections.abc import Iterator
from datetime import datetime

from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.first_few import first_few
from cs_pipeline.plays.outbox import channel_pauses, missed, operations
from cs_pipeline.warehouse.connection import Warehouse

SHOWN = 3  # subjects of notices


def examine_outbox(warehouse: Warehouse, now: datetime) -> Iterator[Finding]:
    """Every finding."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select status, count(*)
            from cs.actions
            where status in ('uncertain', 'failed') and notice_id is null
            group by status
            """
        )
        for status, count in cursor.fetchall():
            words = f"{count:,} actions are {status}: `cs-pipeline action list --status {status}`"
            yield Finding("outbox", "note", words)
        held = missed.waiting(session)
        if not held.empty:
            words = f"{held['actions'].sum():,} actions were due while nobody was there to take them"
            shown = "`cs-pipeline action missed` shows them and what to decide"
            yield Finding("missed actions", "wrong", f"{words}: {shown}")
        for channel, pause in channel_pauses.read(session).items():
            if pause.paused_until is not None:
                words = f"{channel} takes nothing since {pause.since:%Y-%m-%d %H:%M} UTC: {pause.detail}"
                now_again = f"`cs-pipeline play resume channel {channel}`"
                again = f"it is tried again at {pause.paused_until:%H:%M}, or {now_again}"
                yield Finding("channel", "wrong", f"{words}; {again}")
        untold = operations.untold(session, now)
        if untold:
            since = (f"{subject} ({since:%Y-%m-%d %H:%M} UTC)" for subject, since in untold)
            subjects = first_few(since, SHOWN, between="; ")
            yield Finding("operations", "wrong", f"could not be told: {subjects}")
        cursor.execute("select playbook, accounts from cs.breaker_trips where decision is null order by playbook")
        for playbook, accounts in cursor.fetchall():
            words = f"{playbook} would be at work for {accounts:,} accounts, and has enrolled nobody"
            decide = f"decide with `cs-pipeline play release {playbook}` or `cs-pipeline play dismiss {playbook}`"
            yield Finding("circuit breaker", "wrong", f"{words}: {decide}")
        cursor.execute("select scope, name, reason from cs.kill_switches order by scope, name")
        for scope, name, reason in cursor.fetchall():
            yield Finding("kill switch", "note", f"{scope} {name} is stopped: {reason}")
