"""Stop a playbook that would enrol so many accounts that something is more likely wrong than true, and ask a person.

A trip is a row of `cs.breaker_trips` with the triggers that wait for a decision. Released, they are enrolled and the
breaker leaves the playbook alone for a day; dismissed, each is refused. While a trip is open, all further triggers of
the playbook wait with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.sql_files import read_sql

BATCH = timedelta(days=1)
"""Enrolments of a playbook within this time count together: a sensor asks for large batches in parts."""

ROUTINE = "cadence"
"""Kind of triggers whose plays are for everybody by design: that many accounts are due says nothing is wrong."""

_REACH = read_sql(__file__, "reach")

Decision = Literal["released", "dismissed"]


@dataclass(frozen=True)
class Trip:
    """What a playbook would have done. Shares from 0 to 1; `is_new`: nobody has been told yet."""

    trip_id: int
    playbook: str
    accounts: int
    share_of_accounts: float
    share_of_arr: float
    trigger_ids: tuple[int, ...]
    is_new: bool

    @property
    def words(self) -> str:
        """What a person has to know to decide."""
        return (
            f"{self.playbook} would be at work for {self.accounts:,} accounts "
            f"({self.share_of_accounts:.0%} of all, {self.share_of_arr:.0%} of ARR), so it has enrolled nobody. "
            f"If that is right, `cs-pipeline play release {self.playbook}`; "
            f"if not, `cs-pipeline play dismiss {self.playbook}`."
        )


def trip(
    session: Session, playbook: str, account_ids: Sequence[str], trigger_ids: Sequence[int], as_of: AsOf
) -> Trip | None:
    """Trip, were `account_ids` too many to enrol now (or a trip still open); None when they may be enrolled."""
    if not account_ids or _is_released(session, playbook, as_of):
        return None
    accounts, is_open, share_of_accounts, share_of_arr = _reach(session, playbook, account_ids, as_of)
    if not is_open and max(share_of_accounts, share_of_arr) <= as_of.settings.breaker_share:
        return None
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.breaker_trips (
                playbook, tripped_at, accounts, share_of_accounts, share_of_arr, trigger_ids
            )
            values (%s, %s, %s, %s, %s, %s::bigint[])
            on conflict (playbook) where decision is null do update set
                accounts = greatest(breaker_trips.accounts, excluded.accounts),
                share_of_accounts = greatest(breaker_trips.share_of_accounts, excluded.share_of_accounts),
                share_of_arr = greatest(breaker_trips.share_of_arr, excluded.share_of_arr),
                trigger_ids = array(
                    select unnest(breaker_trips.trigger_ids) union select unnest(excluded.trigger_ids) order by 1
                )
            returning trip_id, playbook, accounts, share_of_accounts, share_of_arr, trigger_ids
            """,
            [playbook, as_of.now, accounts, share_of_accounts, share_of_arr, list(trigger_ids)],
        )
        return _trip(cursor.fetchone(), is_new=not is_open)


def _is_released(session: Session, playbook: str, as_of: AsOf) -> bool:
    """Whether a person has let the playbook go on within BATCH."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select exists(
                select 1 from cs.breaker_trips where playbook = %s and decision = 'released' and decided_at > %s
            )
            """,
            [playbook, as_of.now - BATCH],
        )
        return cursor.fetchone() == (True,)


def _reach(session: Session, playbook: str, account_ids: Sequence[str], as_of: AsOf) -> tuple[int, bool, float, float]:
    """Accounts in the play with these and those of BATCH before, whether a trip is open, and shares (0: too few)."""
    with session.cursor() as cursor:
        cursor.execute(
            _REACH,
            {
                "account_ids": list(account_ids),
                "playbook": playbook,
                "since": as_of.now - BATCH,
                "from": as_of.settings.breaker_from,
                "now": as_of.now,
            },
        )
        return cursor.fetchone()  # pyright: ignore[reportReturnType]


def open_trips(session: Session) -> list[Trip]:
    """Trips that wait for a person."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select trip_id, playbook, accounts, share_of_accounts, share_of_arr, trigger_ids
            from cs.breaker_trips
            where decision is null
            order by playbook
            """
        )
        return [_trip(row, is_new=False) for row in cursor.fetchall()]


def close_trip(session: Session, playbook: str, decision: Decision, by: str, as_of: AsOf) -> Trip | None:
    """Close the open trip of `playbook`, which is returned; None when there is none."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.breaker_trips
            set decision = %s, decided_by = %s, decided_at = %s
            where playbook = %s and decision is null
            returning trip_id, playbook, accounts, share_of_accounts, share_of_arr, trigger_ids
            """,
            [decision, by, as_of.now, playbook],
        )
        row = cursor.fetchone()
        return None if row is None else _trip(row, is_new=False)


def _trip(row: tuple | None, *, is_new: bool) -> Trip:
    assert row is not None
    trip_id, playbook, accounts, share_of_accounts, share_of_arr, trigger_ids = row
    return Trip(trip_id, playbook, accounts, share_of_accounts, share_of_arr, tuple(trigger_ids), is_new)
