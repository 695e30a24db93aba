"""Tell the triggers that past weeks would have opened, out of stored history. None is written.

They are the causes that live weeks open, by the same modules; whatever their origin, because a backfilled change starts
no play and is what a simulation lives on. Kinds that are opened at once have no past.
"""

from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.catalogue import TriggerKind
from cs_pipeline.plays.facts.customers import facts_of_customers
from cs_pipeline.plays.facts.point_in_time import as_of_week
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers.causes import COLUMNS, Moment, read_causes
from cs_pipeline.plays.triggers.kinds import KINDS


class PastTriggers:
    """Tells the triggers of weeks in ascending order; it remembers who was in which segment the week before."""

    def __init__(self, kinds: Collection[TriggerKind], config: Path | None) -> None:
        """Of `kinds`, with the segments and cadences of `config`. Raises InvalidFile when a file of these is wrong."""
        chosen = [kind for kind in KINDS if kind.name in kinds]
        self._stored = [kind.stored for kind in chosen if kind.stored is not None]
        self._watches = [kind.watch(config, None) for kind in chosen if kind.watch is not None]

    def of_week(
        self, session: Session, week: date, as_of: AsOf, complete: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> pd.DataFrame:
        """Triggers of the week that has ended at `as_of.now`, columns `causes.COLUMNS`.

        `complete` adds to the facts of customers, which are indexed by account id, what only the simulation knows. The
        first week that is asked for has nobody entering a segment: who was in it before is not known.
        """
        moment = Moment(week, as_of.now, is_live=False)
        if self._watches:
            for today in facts_of_customers(session, as_of):
                known = complete(as_of_week(session, today, today.index.to_series(), week, as_of))
                for watch in self._watches:
                    watch.look(known)
        found = [causes(moment) for causes in self._stored] + [watch.causes(moment) for watch in self._watches]
        rows = [row for causes in found for row in read_causes(session, causes)]
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")
