"""Know whether the tables of a database are spread over several servers (Citus), and put one where it belongs.

On a plain PostgreSQL the answer is no, from the catalogue, and nothing else here is asked. To move a whole database
belongs to `distribute`; which table stands where to `layout`.
"""

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.layout import DISTRIBUTION_COLUMN, Place

MARK = "cs.spread_tables"
"""The view that is there while tables are spread; dbt's macros look for it too."""

PLACED = """
select
    logicalrelid as relation,
    case partmethod when 'h' then 'distributed' else 'reference' end as place
from pg_dist_partition
where partmethod = 'h' or repmodel = 't'
"""
"""The tables that are not local, as Citus knows them."""


def is_spread(cursor: Cursor) -> bool:
    """Whether tables of this database are spread over servers."""
    cursor.execute("select to_regclass(%s) is not null", [MARK])
    return cursor.fetchone() == (True,)


def places_of(cursor: Cursor) -> dict[str, Place]:
    """The tables that are not local; none where nothing is spread."""
    cursor.execute("select to_regclass('pg_dist_partition') is not null")
    if cursor.fetchone() != (True,):
        return {}
    cursor.execute(
        f"select format('%s.%s', relnamespace::regnamespace, relname), place from ({PLACED}) as placed "
        "inner join pg_class on pg_class.oid = relation where not relispartition"
    )
    return {table: Place(place) for table, place in cursor.fetchall()}


def place_table(cursor: Cursor, relation: str, place: Place) -> None:
    """Distribute a table, cut like those before it, or make it a reference table, with the rows it has."""
    if place is Place.REFERENCE:
        cursor.execute("select create_reference_table(%s::regclass)", [relation])
    elif place is Place.DISTRIBUTED:
        cursor.execute(
            "select create_distributed_table(%(relation)s::regclass, %(column)s, colocate_with => coalesce("
            "(select min(logicalrelid::text) from pg_dist_partition inner join pg_class on pg_class.oid = logicalrelid "
            "where partmethod = 'h' and relnamespace in ('raw'::regnamespace, 'cs'::regnamespace)), 'default'))",
            {"relation": relation, "column": DISTRIBUTION_COLUMN},
        )
