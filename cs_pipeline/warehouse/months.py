"""Keep a table as a partition a month (UTC) of its event time, so that news costs what the months it is of cost.

Which months there are follows from the rows that come in. What happened before or after the years that data of today is
about, such as 1970 for "unknown", has one partition each: a row far off makes no month of its own. To put months away,
and to bring them back, belongs to `archive`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.contract import SourceTable
from cs_pipeline.warehouse.incoming import Incoming
from cs_pipeline.warehouse.validation import typed

FIRST_YEAR, END_YEAR = 2000, 2050
"""Years whose months have partitions of their own: from the one, until before the other."""
NEAR_DAYS = 14
"""So far from its time in a load a row is looked for when its key comes again. To look into one month more costs a
fifth of a load: with two weeks, half of the rows are looked for in their own month alone, none in more than two."""


MOMENT = "incoming._moment"
"""SQL: when one of `incoming_rows` happened."""


@dataclass(frozen=True)
class Month:
    """A partition: the first day it is of, and the first it is not of any more; None where it has no such bound."""

    starts: date | None
    ends: date | None

    @property
    def name(self) -> str:
        """What is put behind the table's name."""
        if self.starts is None:
            return f"before_{FIRST_YEAR}"
        return f"{self.starts:%Y_%m}" if self.ends else f"from_{END_YEAR}"

    @property
    def bounds(self) -> str:
        """As SQL."""
        starts = "minvalue" if self.starts is None else f"'{self.starts} 00:00:00+00'"
        ends = "maxvalue" if self.ends is None else f"'{self.ends} 00:00:00+00'"
        return f"from ({starts}) to ({ends})"

    def relation_of(self, table: SourceTable) -> str:
        """The partition's name in SQL."""
        return f"{table.relation}_{self.name}"


def month_of(day: date) -> Month:
    """The partition that a day is in."""
    if day.year < FIRST_YEAR:
        return Month(None, date(FIRST_YEAR, 1, 1))
    if day.year >= END_YEAR:
        return Month(date(END_YEAR, 1, 1), None)
    return Month(day.replace(day=1), _next(day))


def months_of(cursor: Cursor, table: SourceTable, incoming: Incoming) -> list[Month]:
    """The months that incoming rows are of, in order; every time must be sound. None where it is not kept so."""
    if not table.by_month:
        return []
    cursor.execute(  # the days: to cut each time to its month would take longer
        "select distinct greatest(least(day, %(end)s::date), %(before)s::date) from ("
        f"select distinct ({MOMENT} at time zone 'UTC')::date as day from {incoming_rows(table, incoming)}"
        ") as days order by 1",
        {"end": date(END_YEAR, 1, 1), "before": date(FIRST_YEAR - 1, 12, 31)},
    )
    return list(dict.fromkeys(month_of(day) for (day,) in cursor.fetchall()))


def archived_of(cursor: Cursor, table: SourceTable, months: Sequence[Month]) -> list[Month]:
    """Those of the months whose rows are in files, and not in the database (`archive`)."""
    if not months:
        return []
    cursor.execute("select month from cs.archived_months where source_table = %s", (table.name,))
    archived = {day for (day,) in cursor.fetchall()}
    return [month for month in months if month.starts in archived]


def make_months(cursor: Cursor, table: SourceTable, months: Iterable[Month]) -> list[Month]:
    """Create the partitions that are not there, and return their months. Whoever reads the table meanwhile is not
    waited for.

    Raises UserError where a table of its name is none of them, as one that was detached by hand.
    """
    cursor.execute(
        "select relname, coalesce(pg_partition_root(oid) = %s::regclass, false) from pg_class "
        "where relnamespace = 'raw'::regnamespace and relkind in ('r', 'p')",
        (table.relation,),
    )
    is_part: dict[str, bool] = dict(cursor.fetchall())
    made = []
    for month in months:
        name, part = f"{table.name}_{month.name}", month.relation_of(table)
        if not is_part.get(name, True):
            raise UserError(
                f"{part} is no month of {table.relation}, as if it had been detached by hand: rename it, or attach it "
                f"(`alter table {table.relation} attach partition {part} for values {month.bounds}`), and load again."
            )
        if name not in is_part:
            cursor.execute(f"create table {part} (like {table.relation} including defaults including comments)")
            cursor.execute(f"alter table {table.relation} attach partition {part} for values {month.bounds}")
            made.append(month)
    return made


def incoming_rows(table: SourceTable, incoming: Incoming, *, by_key: bool = False) -> str:
    """SQL, to be put behind `from`: the `incoming` rows, of a table that is kept by month with `incoming._moment`, when
    they happened, and the times between which the stored ones are near. So each time is read once, not for each month.
    `by_key`: in the order of their keys.
    """
    order = f"order by {', '.join(table.key)}" if by_key else ""
    if not table.by_month:
        return f"(select * from {incoming.relation} as incoming {order}) as incoming"
    moment = typed(table.column(table.event_time), incoming.types[table.event_time])
    near = f"interval '{24 * NEAR_DAYS} hours'"  # not days, for which PostgreSQL would look at a time zone
    return (
        f"(select incoming.*, _moment - {near} as _near_from, _moment + {near} as _near_until from ("
        f"select incoming.*, incoming.ctid as _row, {moment} as _moment from {incoming.relation} as incoming "
        f"{order} offset 0) as incoming offset 0) as incoming"
    )


def is_near(table: SourceTable, months: Sequence[Month], incoming: str = "incoming") -> str:
    """SQL, to be put behind the comparison of keys: a `stored` row is near in time to one of `incoming_rows`, which is
    in one of `months`. The months are written down, so that PostgreSQL reads no others.
    """
    if not table.by_month:
        return ""
    time = f"stored.{table.event_time}"
    spans = " or ".join(f"({span})" for span in _spans(time, months)) or "false"
    return f" and ({spans}) and {time} between {incoming}._near_from and {incoming}._near_until"


def is_elsewhere(table: SourceTable, months: Iterable[Month]) -> str:
    """SQL, to be put behind `is_near`: a `stored` row is in none of `months`, so that PostgreSQL does not read them."""
    time = f"stored.{table.event_time}"
    return "".join(f" and not ({span})" for span in (_within(time, month.starts, month.ends) for month in months))


def _spans(time: str, months: Sequence[Month]) -> Iterator[str]:
    """SQL for each run of months: it is in them or in the months beside them."""
    runs: list[tuple[date, date]] = []
    for month in months:
        starts = date.min if month.starts is None else _before(month.starts)
        ends = date.max if month.ends is None else _next(month.ends)
        if runs and starts <= runs[-1][1]:
            runs[-1] = (runs[-1][0], ends)
        else:
            runs.append((starts, ends))
    for starts, ends in runs:
        yield _within(time, None if starts == date.min else starts, None if ends == date.max else ends)


def _within(time: str, starts: date | None, ends: date | None) -> str:
    after = [f"{time} >= '{starts} 00:00Z'"] if starts else []
    before = [f"{time} < '{ends} 00:00Z'"] if ends else []
    return " and ".join([*after, *before]) or "true"


def _next(day: date) -> date:
    """The first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _before(day: date) -> date:
    """The first day of the month before."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
