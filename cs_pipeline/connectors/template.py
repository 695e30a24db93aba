"""Fill a template with what a schema really has: absent columns become typed nulls, absent tables no file.

A template begins with one query a table of the vendor (`rows`), which says the columns and types it needs; below it is
plain SQL over these.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cs_pipeline.connectors.catalogue import ENDING, FOLDER, ShippedConnector
from cs_pipeline.connectors.columns import EPOCH, read_as
from cs_pipeline.connectors.landed_schema import LandedColumn, LandedTable, first_spelled, spelled
from cs_pipeline.warehouse.connectors_file import Connector

_DELETED = ("_fivetran_deleted", "is_deleted")
_WITHOUT_MINOR_UNIT = [
    "bif",
    "clp",
    "djf",
    "gnf",
    "jpy",
    "kmf",
    "krw",
    "mga",
    "pyg",
    "rwf",
    "ugx",
    "vnd",
    "vuv",
    "xaf",
    "xof",
    "xpf",
]
_WITH_A_THOUSAND = ("bhd", "jod", "kwd", "omr", "tnd")


class AbsentTable(Exception):
    """A table without which a template yields nothing."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(" or ".join(names))


@dataclass
class Filled:
    """The select of a canonical table, and what it had to do without: columns, and tables it can do without."""

    sql: str = ""
    absent_columns: list[str] = field(default_factory=list)
    absent_tables: list[str] = field(default_factory=list)


def fill(shipped: ShippedConnector, table: str, landed: Mapping[str, LandedTable], connector: Connector) -> Filled:
    """The select of `table`. Raises AbsentTable where the schema lacks what it is about."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = _Words(shipped, landed, connector)
    template = environment.get_template(str((shipped.folder / f"{table}{ENDING}").relative_to(FOLDER)))
    words.filled.sql = template.render(
        rows=words.rows,
        has=words.has,
        tables_with=words.tables_with,
        companies=words.companies,
        money=words.money,
        source=shipped.vendor,
        flavour=shipped.flavour,
    )
    return words.filled


@dataclass
class _Words:
    """What templates may say."""

    shipped: ShippedConnector
    landed: Mapping[str, LandedTable]
    connector: Connector
    filled: Filled = field(default_factory=Filled)

    def has(self, table: str, column: str = "") -> bool:
        """Whether the schema has the table, and the column."""
        name = spelled(table, self.landed)
        return bool(name) and (not column or bool(spelled(column, self.landed[name].columns)))

    def tables_with(self, needed: Sequence[str], some: Sequence[str]) -> list[str]:
        """The tables that have every column that is needed, and some of the others; not views beside them."""
        return [
            name
            for name, table in self.landed.items()
            if all(each in table.columns for each in needed)
            and any(each in table.columns for each in some)
            and name.isidentifier()
            and not name.endswith("_view")
        ]

    def rows(
        self,
        *names: str,
        optional: bool = False,
        only: Iterable[str] = (),
        every_version: bool = False,
        with_deleted: bool = False,
        news_by: str = "",
        **columns: str | Sequence[str],
    ) -> str:
        """A query of the first table of `names` that is there, with these columns: name and type, or name, names in the
        source of which the first counts (`period->start` is within jsonb, or as dlt has it `period__start`), and type.
        Without deleted rows and, where the tool keeps versions, with the present ones only. `only`: columns that must
        not be false. `optional`: no rows where there is no such table. `news_by`: the column by which `map` reads only
        what is new.
        """
        name = first_spelled(names, self.landed)
        if name is None and not optional:
            raise AbsentTable(names)
        if name is None:
            self.filled.absent_tables.append(names[0])
        table = self.landed[name] if name else LandedTable("", {})
        lines = [self._column(name, table, wanted, given) for wanted, given in columns.items()]
        separated = [
            f"{line}{',' if number < len(lines) else ''}{note}" for number, (line, note) in enumerate(lines, 1)
        ]
        if name is None:
            said = [f"-- there is no table {self.connector.place}.{names[0]}", "select", *_deeper(separated)]
            return _joined([*said, "where false"])
        conditions = self._conditions(table, only, every_version=every_version, with_deleted=with_deleted)
        if news_by and (newest := spelled(news_by, table.columns)):
            column = table.columns[newest]
            conditions.append(f"{read_as(column.quoted, column.kind, 'timestamptz')} >= mapping.since()")
        where = _where(conditions)
        return _joined(["select", *_deeper(separated), f"from {table.relation}", *where])

    def companies(self) -> str:
        """A query of the companies of the vendor: `company_id`, its key there, and our `account_id`."""
        names = self.shipped.spec.companies[self.shipped.flavour]
        name = first_spelled(names, self.landed)
        if name is None:
            raise AbsentTable(names)
        table = self.landed[name]
        own = spelled(self.shipped.spec.own_id, table.columns) or self.shipped.spec.own_id
        ids = [f"nullif(btrim(({expression})::text), '')" for expression in self.connector.account_id]
        found = "null::text" if not ids else ids[0] if len(ids) == 1 else f"coalesce({', '.join(ids)})"
        conditions = self._conditions(table, with_deleted=True, alias="company.")
        where = _where(conditions)
        key = read_as(f"company.{table.columns[own].quoted}", table.columns[own].kind, "text")
        columns = _deeper([f"{key} as company_id,", f"{found} as account_id"])
        picked = [f"from {table.relation} as company", *where]
        if name.endswith("_history") and {"_fivetran_active", "updated_at"} & set(table.columns) == {"updated_at"}:
            newest = ["order by company_id asc, company.updated_at desc"]
            return _joined([f"select distinct on ({key})", *columns, *picked, *newest])
        return _joined(["select", *columns, *picked])

    def money(self, amount: str, currency: str, *, minor: bool = False) -> str:
        """An amount in the reporting currency. `minor`: it counts cents, or what the currency has instead. Where rates
        are stated, one of a currency without is said to have none, which puts its row aside.
        """
        lines = [amount]
        if minor:
            few, more = _WITHOUT_MINOR_UNIT[:8], _WITHOUT_MINOR_UNIT[8:]
            lines = [
                f"{amount} / case",
                f"    when {currency} in ({_listed(few)}) then 1",
                f"    when {currency} in ({_listed(more)}) then 1",
                f"    when {currency} in ({_listed(_WITH_A_THOUSAND)}) then 1000",
                "    else 100",
                "end",
            ]
        if not self.connector.currencies:
            return _joined(["(", *_deeper(lines), ")::double precision"])
        rates = [f"    when '{name}' then {rate!r}" for name, rate in self.connector.currencies.items()]
        rated = [*lines[:-1], f"{lines[-1]} * case {currency}", *rates, "end"]
        value = ["(", *_deeper(rated), ")::double precision::text,", f"'no rate for ' || {currency}"]
        return _joined(["coalesce(", *_deeper(value), ")"])

    def _column(self, name: str | None, table: LandedTable, wanted: str, given: str | Sequence[str]) -> tuple[str, str]:
        """A column as SQL, and the comment behind it."""
        *sources, kind = [given] if isinstance(given, str) else given
        sources = [str(source) for source in sources] or [wanted]
        is_moment = kind in (EPOCH, "timestamptz")
        null = "timestamptz" if is_moment else kind
        found = next(filter(None, (_place(source, table) for source in sources)), None)
        if found is None:
            if name is None:
                return f"null::{null} as {wanted}", ""
            self.filled.absent_columns.append(f"{name}.{sources[0]}")
            return f"null::{null} as {wanted}", f" -- {table.relation} has no column {sources[0]}"
        column, inside = found
        value = read_as(column.quoted, column.kind, str(kind))
        if inside:
            path = f"->> '{inside}'" if "->" not in inside else f"#>> '{{{inside.replace('->', ', ')}}}'"
            value = read_as(
                f"({read_as(column.quoted, column.kind, 'jsonb')} {path})",
                "text",
                EPOCH if is_moment else str(kind),
            )
        return (value if value == wanted else f"{value} as {wanted}"), ""

    def _conditions(
        self,
        table: LandedTable,
        only: Iterable[str] = (),
        *,
        every_version: bool = False,
        with_deleted: bool = False,
        alias: str = "",
    ) -> list[str]:
        """What the rows must be, as far as the table can say it."""
        asked = [(column, "coalesce({}, true)", "boolean") for column in only]
        if not every_version:
            asked.append(("_fivetran_active", "coalesce({}, true)", "boolean"))
        if not with_deleted:
            asked += [(column, "not coalesce({}, false)", "boolean") for column in _DELETED]
            asked.append(("_ab_cdc_deleted_at", "{} is null", "text"))
        there = [
            (table.columns[found], words, kind)
            for name, words, kind in asked
            if (found := spelled(name, table.columns)) is not None
        ]
        return [words.format(read_as(alias + column.quoted, column.kind, kind)) for column, words, kind in there]


def _place(source: str, table: LandedTable) -> tuple[LandedColumn, str] | None:
    """The column that holds `source`, and where within it."""
    name, _, inside = source.partition("->")
    if found := spelled(name, table.columns):
        return table.columns[found], inside
    flat = spelled(source.replace("->", "__"), table.columns)
    return (table.columns[flat], "") if flat else None


def _where(conditions: Sequence[str]) -> list[str]:
    if len(conditions) < 2:
        return [f"where {each}" for each in conditions]
    return ["where", *_deeper([conditions[0], *(f"and {each}" for each in conditions[1:])])]


def _deeper(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _joined(lines: Sequence[str]) -> str:
    """The lines, all but the first indented: templates write the call at the depth of a query in brackets."""
    return "\n    ".join(lines)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
