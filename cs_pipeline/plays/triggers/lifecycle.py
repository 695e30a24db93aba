"""Lifecycle triggers: an account signed up, left, or left so many years ago.

Opened daily, and for nothing older than OLDEST: a first install greets nobody who has been here for years, and asks
nobody why they left last spring.
"""

from datetime import timedelta

from cs_pipeline.plays.triggers.causes import Causes, Moment
from cs_pipeline.sql_files import read_sql

OLDEST = timedelta(days=7)
"""A cause older than this starts no play, unless a sensor had already got to it."""

SOURCE = "staging.stg_accounts"

_CAUSES = read_sql(__file__)


def causes(moment: Moment) -> Causes:
    """Signups, departures and anniversaries of departures within OLDEST of the moment.

    A signup that has left again by then is none.
    """
    return Causes(_CAUSES, {"now": moment.now, "since": moment.now - OLDEST})
