"""Look at the tables that an ELT tool has landed in a schema: which there are, with which columns of which types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.source_files import closest


@dataclass(frozen=True)
class LandedColumn:
    """A column: its name as SQL writes it, and PostgreSQL's name of its type."""

    quoted: str
    kind: str


@dataclass(frozen=True)
class LandedTable:
    """A table or view: its name as SQL writes it, with the schema, and its columns by name."""

    relation: str
    columns: Mapping[str, LandedColumn]


def spelled(name: str, there: Mapping[str, object]) -> str | None:
    """The key of `there` that is `name`, or is it in another spelling: Airbyte writes `account_id` as the interface it
    reads does, accountId or AccountId.
    """
    return name if name in there else next((each for each in there if _plain(each) == _plain(name)), None)


def first_spelled(names: Iterable[str], there: Mapping[str, object]) -> str | None:
    """The key of `there` that is the first of `names` that is there."""
    return next(filter(None, (spelled(name, there) for name in names)), None)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def look_at_schema(warehouse: Warehouse, schema: str) -> dict[str, LandedTable]:
    """The tables of `schema` by name. Raises UserError where there is no such schema, or nothing in it."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select table_name::text, column_name::text, data_type::text, quote_ident(column_name), "
            "quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.columns "
            "where table_schema = %s order by table_name, ordinal_position",
            (schema,),
        )
        rows = cursor.fetchall()
        cursor.execute("select schema_name::text from information_schema.schemata")
        schemas = {name for (name,) in cursor.fetchall()}
    if schema not in schemas:
        raise UserError(f"There is no schema {schema!r} in {warehouse.location}{closest(schema, schemas)}.")
    if not rows:
        raise UserError(f"The schema {schema!r} has no table that this role may read.")
    found: dict[str, LandedTable] = {}
    for table, column, kind, quoted, relation in rows:
        known = found.setdefault(table, LandedTable(relation, {}))
        found[table] = LandedTable(relation, {**known.columns, column: LandedColumn(quoted, kind)})
    return found
