"""Score changes as triggers: an account's severity changed from one week to the next.

They are opened after the week's checks, so that scores that cannot be right start no play. How a change is found and
explained belongs to `history.changes`.
"""

from cs_pipeline.plays.triggers.causes import Causes, Moment
from cs_pipeline.sql_files import read_sql

DRIVERS_TOLD = 3
"""How many drivers of a change its trigger names, the largest first."""

_OF_WEEK = read_sql(__file__, chosen="changes.week = %(week)s::date")
_OF_ACCOUNT = read_sql(__file__, chosen="changes.account_id = %(account_id)s")


def causes(moment: Moment) -> Causes:
    """Changes of severity in the moment's week.

    A held score starts nothing, also where another model has come to count. An account's first score is a cause when
    it is not healthy: from_severity is then missing among the facts.
    """
    return Causes(_OF_WEEK, {"week": moment.week, "is_live": moment.is_live, "drivers_told": DRIVERS_TOLD})


def causes_of_account(account_id: str) -> Causes:
    """All changes of severity of an account, the oldest first; those that a backfill found are as true."""
    return Causes(_OF_ACCOUNT, {"account_id": account_id, "is_live": False, "drivers_told": DRIVERS_TOLD})
