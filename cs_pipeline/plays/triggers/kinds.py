"""Name the kinds of triggers, and open those that are looked for: after every week, or every day.

A new kind is a module in this package, its line in KINDS, and its facts in `facts.catalogue`. What a cause of a kind is
belongs to its module; how triggers are written to `causes`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.facts.catalogue import TriggerKind
from cs_pipeline.plays.facts.customers import facts_of_customers, this_monday
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers import cadences, lifecycle, renewal_windows, score_changes, segments
from cs_pipeline.plays.triggers.causes import Causes, Moment, open_triggers
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations


class Watch(Protocol):
    """Looks at the facts of every customer once a week, slice by slice, and then names the causes."""

    def look(self, today: pd.DataFrame) -> None:
        """Look at a slice of customers: their facts, indexed by account id."""
        ...

    def causes(self, moment: Moment) -> Causes:
        """What the slices since the last time came to."""
        ...


@dataclass(frozen=True)
class Kind:
    """A kind of trigger, and how its causes are found.

    `words`: what it is about, for readers. `opens`: after every week, every day, or at once by whoever finds a cause.
    `stored`: its causes are rows of tables. `watch`: they are told from the facts of every customer (by config folder,
    and the session in which what was seen before is kept; without one it is kept in memory). A kind with neither has no
    past. `names`: where the causes have names of their own, all that there are. `is_dispatched`: a sensor offers them
    to playbooks.
    """

    name: TriggerKind
    words: str
    opens: Literal["weekly", "daily", "at_once"]
    stored: Callable[[Moment], Causes] | None = None
    watch: Callable[[Path | None, Session | None], Watch] | None = None
    names: Callable[[Path | None], Collection[str]] | None = None
    is_dispatched: bool = True

    @property
    def has_a_past(self) -> bool:
        """Whether the triggers of a past week can be told."""
        return self.stored is not None or self.watch is not None


KINDS = (
    Kind("score_change", "Accounts whose severity changed in the newest week.", "weekly", stored=score_changes.causes),
    Kind(
        "renewal_window",
        "Subscriptions that entered a window before their renewal date.",
        "weekly",
        stored=renewal_windows.causes,
    ),
    Kind(
        "segment_entry",
        "Accounts that entered a segment.",
        "weekly",
        watch=segments.watch,
        names=segments.load_segments,
    ),
    Kind(
        "cadence",
        "Accounts with which a conversation fell due.",
        "weekly",
        watch=lambda config, _: cadences.watch(config),
        names=cadences.load_cadences,
    ),
    Kind("lifecycle", "Accounts that have just signed up, or left.", "daily", stored=lifecycle.causes),
    Kind("alert", "Accounts of which an alert rule told something new.", "at_once"),
    Kind("manual", "Accounts for which a person asked for a play.", "at_once", is_dispatched=False),
)


def open_week(warehouse: Warehouse, week: date, settings: Settings, now: datetime) -> dict[str, int]:
    """Write the triggers of the live `week`, and of what the facts of customers say now; returns how many are new, by
    kind. Opening a week again adds none.

    To be called after the week's checks. Raises UserError while the marts are not built, InvalidFile for a wrong file
    of segments or cadences; what was opened before that stays.
    """
    opened = open_stored(warehouse, "weekly", Moment(week, now, is_live=True))
    with warehouse.session() as session:
        watches: dict[TriggerKind, Watch] = {
            kind.name: kind.watch(settings.config, session) for kind in KINDS if kind.watch is not None
        }
        return opened | open_watched(session, watches, AsOf(settings, now))


def open_day(warehouse: Warehouse, now: datetime) -> dict[str, int]:
    """Write the triggers of what happened lately; returns how many are new, by kind. Before the first build: none."""
    with warehouse.session() as session:
        if missing_relations(session, lifecycle.SOURCE):
            return {}
    return open_stored(warehouse, "daily", Moment(this_monday(now) - WEEK, now, is_live=True))


def open_stored(warehouse: Warehouse, opens: Literal["weekly", "daily"], moment: Moment) -> dict[str, int]:
    """Write the triggers whose causes are rows of tables, in one transaction; returns how many are new, by kind."""
    with warehouse.session() as session:
        return {
            kind.name: open_triggers(session, kind.stored(moment))
            for kind in KINDS
            if kind.opens == opens and kind.stored is not None
        }


def open_watched(session: Session, watches: Mapping[TriggerKind, Watch], as_of: AsOf) -> dict[str, int]:
    """Write the triggers that the facts of customers call for; returns how many are new, by kind."""
    for today in facts_of_customers(session, as_of):
        for watch in watches.values():
            watch.look(today)
    moment = Moment(this_monday(as_of.now) - WEEK, as_of.now, is_live=True)
    return {name: open_triggers(session, watch.causes(moment)) for name, watch in watches.items()}
