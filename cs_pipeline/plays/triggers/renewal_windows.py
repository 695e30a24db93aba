"""Renewal windows as triggers: a subscription came so many days before its renewal date.

They are opened after the week's checks. How the windows of a week are found and kept belongs to
`history.renewal_windows`.
"""

from cs_pipeline.history.weeks import LATE_DAYS
from cs_pipeline.plays.triggers.causes import Causes, Moment
from cs_pipeline.sql_files import read_sql

_CAUSES = read_sql(__file__)


def causes(moment: Moment) -> Causes:
    """The windows that opened in the moment's week.

    Live also those of the week before that are at most LATE_DAYS old: where they have no trigger, that week was
    missed, or stopped at a check.
    """
    return Causes(_CAUSES, {"week": moment.week, "is_live": moment.is_live, "late_days": LATE_DAYS})
