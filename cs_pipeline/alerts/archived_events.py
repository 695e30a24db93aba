"""Refuse to ask rules about days whose single events are in files: without them a rule finds less, and says nothing.

Sums by day stay in the database when a month is archived, so that rules which read only those are asked as ever.
"""

from collections.abc import Collection
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.archive import KEPT

_ARCHIVED = """
select to_char(month, 'YYYY-MM'), (month + interval '1 month')::date
from cs.archived_months
where source_table = 'events' and month <= %(last)s and month + interval '1 month' > %(first)s
order by month
"""
_READ_SINGLE_EVENTS = """
with recursive readers (oid) as (
    select to_regclass('raw.events')::oid

    union

    select above.oid
    from readers
    inner join pg_depend on pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = readers.oid
    inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
    inner join pg_class as above on pg_rewrite.ev_class = above.oid
    -- Of events these read only what is newer than the sums by day, and what is archived is summed up.
    where above.relnamespace is distinct from to_regnamespace('intermediate')
)

select rules.name
from unnest(%(names)s::text[], %(relations)s::text[]) as rules (name, relation)
inner join readers on readers.oid = to_regclass(rules.relation)
order by rules.name
"""


def require_events(session: Session, rules: Collection[Rule], first: datetime, last: datetime) -> None:
    """Raise UserError where one of the rules reads single events of a month that is archived, to be asked from `first`
    to `last`. How far a rule looks back only its SQL knows; `archive` keeps what any may look at.
    """
    with session.cursor() as cursor:
        cursor.execute(_ARCHIVED, {"first": first - KEPT, "last": last})
        archived = cursor.fetchall()
        if not archived:
            return
        chosen = {"names": [rule.name for rule in rules], "relations": [rule.relation for rule in rules]}
        cursor.execute(_READ_SINGLE_EVENTS, chosen)
        names = [name for (name,) in cursor.fetchall()]
    if names:
        months, whole_from = ", ".join(month for month, _ in archived), archived[-1][1] + KEPT
        since = f", or ask from {whole_from} on" if whole_from <= last.date() else ""
        raise UserError(
            f"{', '.join(names)} look{'s' if len(names) == 1 else ''} at single events, as long as {KEPT.days} days "
            f"back, and those of {months} are archived: too little would be found. `cs-pipeline data restore FILE` "
            f"brings a month back, `cs-pipeline data months` says in which files they are{since}."
        )
