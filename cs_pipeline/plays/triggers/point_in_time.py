"""The triggers that a past week would have opened, out of stored history. None is written.

The same causes as in `history.triggers`, `triggers`, `segments` and `cadences`, whatever their origin: a backfilled
change starts no play, and is what a simulation lives on. Alerts and triggers by hand have no past.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.catalogue import TriggerKind
from cs_pipeline.plays.facts.customers import facts_of_customers
from cs_pipeline.plays.facts.point_in_time import as_of_week
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.triggers.cadences import Cadence
from cs_pipeline.plays.triggers.segments import Segment

WITHOUT_A_PAST: tuple[TriggerKind, ...] = ("alert", "manual")
COLUMNS = ("kind", "account_id", "subject_id", "occurred_at", "anchor_on", "facts")
WEEK = timedelta(days=7)

_SCORE_CHANGES = """
select
    'score_change',
    account_id,
    null,
    %(monday)s::timestamp at time zone 'UTC',
    %(monday)s::date,
    jsonb_build_object(
        'from_score', from_score, 'to_score', to_score, 'delta', delta, 'from_band', from_band, 'to_band', to_band,
        'from_severity', from_severity, 'to_severity', to_severity, 'cause', cause
    )
from cs.score_changes
where week = %(monday)s::date - 7 and to_severity <> coalesce(from_severity, 0)
order by account_id
"""

_RENEWAL_WINDOWS = """
select
    'renewal_window',
    account_id,
    subscription_id,
    %(monday)s::timestamp at time zone 'UTC',
    renewal_date,
    jsonb_build_object('renewal_window', renewal_window, 'renewal_type', renewal_type, 'renewal_date', renewal_date)
from cs.renewal_windows
where week = %(monday)s::date - 7
order by subscription_id
"""

_LIFECYCLE = """
with happened as (
    select account_id, created_at as occurred_at, 'signup' as anchor
    from staging.stg_accounts
    union all
    select account_id, churned_at, 'churn'
    from staging.stg_accounts
    union all
    select account_id, churned_at + make_interval(years => years), 'churn_anniversary'
    from staging.stg_accounts
    cross join generate_series(1, 30) as years
)

select
    'lifecycle',
    account_id,
    null,
    occurred_at,
    (occurred_at at time zone 'UTC')::date,
    jsonb_build_object('anchor', anchor)
from happened
where occurred_at > %(since)s and occurred_at <= %(now)s
order by occurred_at, account_id
"""

_STORED: Mapping[str, str] = {
    "score_change": _SCORE_CHANGES,
    "renewal_window": _RENEWAL_WINDOWS,
    "lifecycle": _LIFECYCLE,
}


@dataclass
class PastTriggers:
    """Opens the triggers of weeks in ascending order; it remembers who was in which segment the week before."""

    segments: Mapping[str, Segment]
    cadences: Mapping[str, Cadence]
    kinds: Collection[TriggerKind]
    _members: dict[str, set[str]] = field(default_factory=dict)

    def of_week(
        self, session: Session, week: date, as_of: AsOf, complete: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> pd.DataFrame:
        """Triggers of the week that has ended at `as_of.now`, columns COLUMNS.

        `complete` adds to the facts of customers, which are indexed by account id, what only the simulation knows. The
        first week that is asked for has nobody entering a segment: who was in it before is not known.
        """
        rows: list[tuple[object, ...]] = []
        monday = week + WEEK
        parameters = {"monday": monday, "since": as_of.now - WEEK, "now": as_of.now}
        with session.cursor() as cursor:
            for kind in _STORED.keys() & set(self.kinds):
                cursor.execute(_STORED[kind], parameters)
                rows += cursor.fetchall()
        if {"segment_entry", "cadence"} & set(self.kinds):
            rows += self._of_customers(session, week, as_of, complete)
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")

    def _of_customers(
        self, session: Session, week: date, as_of: AsOf, complete: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> list[tuple[object, ...]]:
        monday = week + WEEK
        at = datetime.combine(monday, time(), UTC)
        members: dict[str, set[str]] = {name: set() for name in self.segments}
        due: list[tuple[object, ...]] = []
        for today in facts_of_customers(session, as_of):
            known = complete(as_of_week(session, today, today.index.to_series(), week, as_of))
            for name, segment in self.segments.items():
                members[name].update(known.index[segment.condition.holds(known)])
            for name, cadence in self.cadences.items():
                due += [
                    ("cadence", account_id, None, at, monday, {"cadence": name, "every_days": every_days})
                    for account_id, every_days, _ in cadence.fell_due(known).itertuples(name=None)
                ]
        entered = [
            ("segment_entry", account_id, None, at, monday, {"segment": name})
            for name, accounts in members.items()
            if name in self._members
            for account_id in sorted(accounts - self._members[name])
        ]
        self._members = members
        return entered + due
