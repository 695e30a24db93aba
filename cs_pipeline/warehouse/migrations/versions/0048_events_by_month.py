"""Keep `raw.events` as a partition a month of `occurred_at`, so that a load looks into the months of its rows only.

The rows are copied month by month before the transaction of the migrations, each month in one of its own, while events
are read and loaded as ever; whoever is interrupted keeps the months that are whole. The transaction copies those again
that have changed since, and puts the new table in the place of the old one.
"""

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from alembic import op
from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError

revision = "0048"
down_revision = "0047"

SQL = Path(__file__).with_suffix(".sql")
LOAD_LOCK = 7420002
BUCKET = (
    "(date_trunc('month', greatest(least({}, '2050-01-01 00:00Z'), '1999-12-01 00:00Z'), 'UTC') "
    "at time zone 'UTC')::date"
)
"""The first day of a row's month; of what is before 2000, and from 2050 on, one for all."""
CHANGED = f"""
with written as (
    select {BUCKET.format("occurred_at")} as month, _load_id as load_id
    from raw.events
    where _load_id > (select coalesce(min(load_id), 0) from raw._events_copied)
    union all
    select coalesce({BUCKET.format("day::timestamp at time zone 'UTC'")}, copied.month), touched_days.load_id
    from cs.touched_days
    left join raw._events_copied as copied on touched_days.day is null
    where source_table = 'events'
)

select distinct written.month
from written
left join raw._events_copied as copied on written.month = copied.month
where written.month is not null and (copied.month is null or written.load_id > copied.load_id)
order by 1
"""
"""Months that are not copied yet, and those in which rows were loaded, moved or deleted since."""
MISCOUNTED = f"""
select coalesce(found.month, copied.month)
from (select {BUCKET.format("occurred_at")} as month, count(*) as rows from raw.events group by 1) as found
full join raw._events_copied as copied on found.month = copied.month
where found.rows is distinct from copied.rows
order by 1
"""
READERS = """
select distinct
    reading.oid::regclass::text,
    reading.relkind = 'v',
    format(
        'create or replace view %s%s as %s', reading.oid::regclass,
        ' with (' || array_to_string(reading.reloptions, ', ') || ')', pg_get_viewdef(reading.oid)
    )
from pg_depend
inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
inner join pg_class as reading on pg_rewrite.ev_class = reading.oid
where pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = 'raw.events'::regclass
"""
"""Views that name the table: name, whether it is a view, and what makes it again."""
RIGHTS = """
select
    format(
        'grant %s on raw._events_by_month to %s', privilege_type,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
    )
from pg_class, aclexplode(relacl)
where pg_class.oid = 'raw.events'::regclass and grantee <> relowner
union all
select format('alter table raw._events_by_month owner to %I', pg_get_userbyid(relowner))
from pg_class
where oid = 'raw.events'::regclass and pg_get_userbyid(relowner) <> current_user
"""

log = logging.getLogger("cs_pipeline.warehouse.migrations")


@dataclass(frozen=True)
class Part:
    """A partition: what its name ends in, and the times from and before which its rows are."""

    name: str
    starts: str
    ends: str

    @property
    def holds(self) -> str:
        """SQL: a row belongs here."""
        return f"occurred_at >= '{self.starts}' and occurred_at < '{self.ends}'"

    @property
    def bounds(self) -> str:
        """As PostgreSQL wants them."""
        starts = "minvalue" if self.starts == "-infinity" else f"'{self.starts}'"
        ends = "maxvalue" if self.ends == "infinity" else f"'{self.ends}'"
        return f"from ({starts}) to ({ends})"


def prepare(session: Session) -> None:
    """Copy month by month; a month that was copied and has not changed since is passed over."""
    with session.cursor() as cursor:
        if not _is_plain(cursor):
            return
        _begin(cursor)
        cursor.execute(CHANGED)
        months = [month for (month,) in cursor.fetchall()]
        for number, month in enumerate(months, 1):
            log.info("raw.events by month: %s, %s of %s", _part(month).name, number, len(months))
            cursor.execute("begin")
            _copy(cursor, month)
            cursor.execute("commit")


def upgrade() -> None:
    """Put the table by months in the place of the other, with what the months lack."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})
    raw_connection: Any = op.get_bind().connection.driver_connection
    with raw_connection.cursor() as cursor:
        if not _is_plain(cursor):
            return
        _begin(cursor)
        cursor.execute("lock table raw.events in share row exclusive mode")
        for which in (CHANGED, MISCOUNTED):
            cursor.execute(which)
            for (month,) in cursor.fetchall():
                _copy(cursor, month)
        _replace(cursor)


def _is_plain(cursor: Cursor) -> bool:
    """Whether there is a table of events that is not kept by month. Raises UserError where it is on many servers."""
    cursor.execute("select relkind = 'r' from pg_class where oid = to_regclass('raw.events')")
    if cursor.fetchone() != (True,):
        return False
    cursor.execute("select to_regclass('cs.spread_tables') is not null")
    if cursor.fetchone() == (True,):
        raise UserError(
            "raw.events becomes a table by months, which cannot be done while tables are spread over servers: go back "
            "to the version before, `cs-pipeline warehouse distribute --undo`, and migrate again."
        )
    return True


def _begin(cursor: Cursor) -> None:
    """Have the table by months, and the list of months that are copied. With columns that the old one gained since an
    interrupted attempt, all begins anew.
    """
    columns = "select array_agg(attname || ' ' || atttypid order by attnum) from pg_attribute "
    columns += "where attrelid = to_regclass('raw.{}') and attnum > 0 and not attisdropped"
    cursor.execute(f"select ({columns.format('events')}) = ({columns.format('_events_by_month')})")
    if cursor.fetchone() != (True,):
        cursor.execute("drop table if exists raw._events_by_month, raw._events_copied")
        cursor.execute(
            "create table raw._events_by_month (like raw.events including defaults including comments) "
            "partition by range (occurred_at)"
        )
        cursor.execute("create table raw._events_copied (month date primary key, load_id bigint, rows bigint)")
    cursor.execute("set maintenance_work_mem = '512MB'")


def _part(month: date) -> Part:
    starts = f"{month} 00:00:00+00"
    if month.year < 2000:
        return Part("before_2000", "-infinity", "2000-01-01 00:00:00+00")
    if month.year >= 2050:
        return Part("from_2050", starts, "infinity")
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return Part(f"{month:%Y_%m}", starts, f"{following} 00:00:00+00")


def _copy(cursor: Cursor, month: date) -> None:
    """Copy a month, in one transaction with a note of the newest load then; no load is under way meanwhile."""
    part = _part(month)
    relation = f"raw.events_{part.name}"
    cursor.execute("select pg_advisory_xact_lock(%s)", [LOAD_LOCK])
    cursor.execute(f"drop table if exists {relation}")
    cursor.execute(f"create table {relation} (like raw.events including defaults including comments)")
    cursor.execute(f"insert into {relation} select * from raw.events where {part.holds}")
    rows = cursor.rowcount
    cursor.execute(f"alter table {relation} add primary key (event_id, account_id, occurred_at)")
    for column in ("_load_id", "occurred_at"):
        cursor.execute(f"create index on {relation} using brin ({column})")
    cursor.execute(f"alter table raw._events_by_month attach partition {relation} for values {part.bounds}")
    cursor.execute(
        "insert into raw._events_copied select %s, last_value, %s from cs.loads_load_id_seq "
        "on conflict (month) do update set load_id = excluded.load_id, rows = excluded.rows",
        [month, rows],
    )


def _replace(cursor: Cursor) -> None:
    """Take the old table away, and have whoever read it read the new one."""
    cursor.execute(READERS)
    readers = cursor.fetchall()
    if fixed := [name for name, is_view, _ in readers if not is_view]:
        raise UserError(
            f"{', '.join(fixed)} reads raw.events, which becomes a table by months, and cannot be pointed at another. "
            "Drop it, migrate again, and create it anew; what was copied so far is kept."
        )
    cursor.execute("select obj_description('raw.events'::regclass, 'pg_class')")
    (comment,) = cursor.fetchone() or (None,)
    cursor.execute(RIGHTS)
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)
    cursor.execute("alter table raw.events rename to _events_before")
    cursor.execute("alter table raw._events_by_month rename to events")
    for _, _, statement in readers:
        cursor.execute(statement)
    cursor.execute("drop table raw._events_before, raw._events_copied")
    cursor.execute("alter table raw.events add constraint events_pkey primary key (event_id, account_id, occurred_at)")
    for column in ("_load_id", "occurred_at"):
        cursor.execute(f"create index on raw.events using brin ({column})")
    cursor.execute("comment on table raw.events is %s", [comment])
    cursor.execute("select cs.watch_touched_days('raw.events', 'occurred_at', 'event_id')")
    cursor.execute("analyze raw.events")


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
