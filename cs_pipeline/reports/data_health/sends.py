"""Read what could not be sent, or waits in vain: uncertain and failed actions, due ones, paused channels."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox import channel_pauses, missed, operations, standstill
from cs_pipeline.warehouse.rows import read_rows

Row = dict[str, Any]


@dataclass(frozen=True)
class Sends:
    """`stuck`: status (uncertain or failed), channel, actions, first_due. `due`: what should be
    under way, by channel, with the oldest.

    `missed`: actions that were due while nobody was there, which wait for a person. `pauses`: channels that take
    nothing. `untold`: subjects of notices that reached nobody, and since when. `trips`: playbooks that would have
    begun for too many at once, with accounts. `stops`: scope, name and reason of what a person stopped.
    """

    stuck: list[Row]
    due: list[standstill.Waiting]
    missed: int
    pauses: list[channel_pauses.ChannelPause]
    untold: list[tuple[str, datetime]]
    trips: list[Row]
    stops: list[Row]

    @property
    def is_well(self) -> bool:
        """Whether nothing waits for anybody; what a person stopped is as they want it."""
        return not (self.stuck or self.due or self.missed or self.pauses or self.untold or self.trips)


def sends(session: Session, now: datetime) -> Sends:
    """All of it, at a moment."""
    held = missed.waiting(session)
    return Sends(
        stuck=stuck(session),
        due=[each for each in standstill.waiting(session, now) if each.since <= now - standstill.PATIENCE],
        missed=int(held["actions"].sum()) if not held.empty else 0,
        pauses=[each for each in channel_pauses.read(session).values() if each.paused_until is not None],
        untold=operations.untold(session, now),
        trips=open_trips(session),
        stops=stops(session),
    )


def stuck(session: Session) -> list[Row]:
    """Actions to customers and colleagues of which nobody knows whether they arrived, or that were refused for good."""
    return read_rows(session, _STUCK, {})


def open_trips(session: Session) -> list[Row]:
    """Playbooks that the circuit breaker holds back: playbook, accounts."""
    return read_rows(
        session, "select playbook, accounts from cs.breaker_trips where decision is null order by playbook", {}
    )


def stops(session: Session) -> list[Row]:
    """What a person stopped: scope, name, reason."""
    return read_rows(session, "select scope, name, reason from cs.kill_switches order by scope, name", {})


_STUCK = """
select status, channel, count(*)::integer as actions, min(due_at) as first_due
from cs.actions
where status in ('uncertain', 'failed') and notice_id is null
group by status, channel
order by status desc, channel
"""
