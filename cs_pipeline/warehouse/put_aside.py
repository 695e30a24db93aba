"""Put aside what of the incoming rows breaks a rule: the value where the row is worth keeping without it, else the row.

It leaves the incoming table for the rejects, with its reason, so that only sound rows are ever cast.
"""

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse import kept_rejects
from cs_pipeline.warehouse.contract import SourceTable
from cs_pipeline.warehouse.incoming import LINE, LOAD, Incoming
from cs_pipeline.warehouse.input_is_valid import validity_function
from cs_pipeline.warehouse.months import MOMENT, Month, incoming_rows
from cs_pipeline.warehouse.validation import ARCHIVED_MONTH, REPEATED_KEY, Rule, rules


def put_aside_broken(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], known: Mapping[str, str]
) -> int:
    """Move to the rejects each row with the first rule that it breaks in a column it cannot lose; of the other rows,
    each value that breaks a rule, in whose place is nothing then.
    """
    asked = rules(table, incoming.types, validity_function(cursor), known)
    by_column: dict[str, list[str]] = {}
    for position, rule in enumerate(asked):
        by_column.setdefault(rule.column, []).append(f"when {rule.is_broken} then {position}")
    if not by_column:
        return 0
    found = ", ".join(f"case {' '.join(cases)} end" for cases in by_column.values())
    joins = " ".join(rule.join for rule in asked if rule.join)
    losable = [str(position) for position, rule in enumerate(asked) if table.can_lose(table.column(rule.column))]
    cursor.execute(
        "create temporary table broken on commit drop as "
        f"select row, rule, rule = any('{{{', '.join(losable)}}}'::integer[]) as can_lose from ("
        f"select incoming.ctid as row, unnest(array[{found}]) as rule from {incoming.relation} as incoming {joins} "
        f"where coalesce({found}) is not null) as found where rule is not null"
    )
    rejected = 0
    if cursor.rowcount:
        _put_aside_values(cursor, table, incoming, origins, asked)
        whole = "select row, min(rule) as rule from broken where not can_lose group by row"
        rejected = put_aside(cursor, table, incoming, origins, asked, whole)
    cursor.execute("drop table broken")
    return rejected


def _put_aside_values(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], asked: list[Rule]
) -> None:
    """Write the values of rows that stay to the rejects, with the row as it came, and empty them."""
    cursor.execute(
        "create temporary table problem on commit drop as select row, rule from broken as value "
        "where can_lose and not exists (select from broken where broken.row = value.row and not broken.can_lose)"
    )
    if cursor.rowcount:
        _write_rejects(cursor, table, incoming, origins, asked, row_kept=True)
        cursor.execute(
            "select distinct (%s::text[])[rule + 1] from problem order by 1", ([rule.column for rule in asked],)
        )
        emptied = ", ".join(
            f"{name} = case when '{name}' = any(lost.columns) then null else incoming.{name} end"
            for (name,) in cursor.fetchall()
        )
        cursor.execute(
            f"update {incoming.relation} as incoming set {emptied} from ("
            "select row, array_agg((%s::text[])[rule + 1]) as columns from problem group by row"
            ") as lost where incoming.ctid = lost.row",
            ([rule.column for rule in asked],),
        )
    cursor.execute("drop table problem")


def put_aside_repeated(cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str]) -> int:
    """Of sound rows with the same key the first stays: by file and line, or for mappings by content.

    Hashes find the few candidates first; a window over all rows would cost as much as the load itself.
    """
    key = ", ".join(f"incoming.{name}" for name in table.key)
    key_hash = "0"
    for name in table.key:
        key_hash = f"hashtextextended(incoming.{name}, {key_hash})"
    cursor.execute(
        "create temporary table repeated on commit drop as "
        f"select {key_hash} as key_hash from {incoming.relation} as incoming group by 1 having count(*) > 1"
    )
    rejected = 0
    if cursor.rowcount:
        rejected = put_aside(
            cursor,
            table,
            incoming,
            origins,
            [Rule(", ".join(table.key), REPEATED_KEY, "")],
            "select row, 0 as rule from (select incoming.ctid as row, row_number() over ("
            f"partition by {key} order by {LOAD}, {LINE}, incoming::text) as occurrence from {incoming.relation} "
            f"as incoming where {key_hash} in (select key_hash from repeated)) as numbered where occurrence > 1",
        )
    cursor.execute("drop table repeated")
    return rejected


def put_aside_archived(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], archived: Sequence[Month]
) -> int:
    """Of sound rows, those of months whose other rows are in files: alone here they would be half a month."""
    spans = " or ".join(
        f"({MOMENT} >= '{month.starts} 00:00Z' and {MOMENT} < '{month.ends} 00:00Z')" for month in archived
    )
    of_months = f"select incoming._row as row, 0 as rule from {incoming_rows(table, incoming)} where {spans}"
    return put_aside(cursor, table, incoming, origins, [Rule(table.event_time, ARCHIVED_MONTH, "")], of_months)


def put_aside(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], asked: list[Rule], problems: str
) -> int:
    """Move incoming rows to the rejects. `problems` selects them: row (its ctid) and rule (its position in `asked`).

    They leave the incoming table, so that only sound rows are ever cast: PostgreSQL may cast before it filters.
    """
    cursor.execute(f"create temporary table problem on commit drop as {problems}")
    rejected = cursor.rowcount
    if rejected:
        _write_rejects(cursor, table, incoming, origins, asked, row_kept=False)
        cursor.execute(f"delete from {incoming.relation} as incoming using problem where incoming.ctid = problem.row")
    cursor.execute("drop table problem")
    return rejected


def _write_rejects(
    cursor: Cursor,
    table: SourceTable,
    incoming: Incoming,
    origins: dict[int, str],
    asked: list[Rule],
    *,
    row_kept: bool,
) -> None:
    """Write what the temporary table `problem` names (row, rule) to the rejects, in the order of files and lines; of a
    load that has very many, the first, and how many more there are.
    """
    cursor.execute(
        f"with placed as (select problem.row, problem.rule, {LOAD}, {LINE}, "
        f"row_number() over (partition by {LOAD} order by {LINE}, problem.rule) <= %(most)s as is_kept "
        f"from problem inner join {incoming.relation} as incoming on incoming.ctid = problem.row), "
        f"written as (select placed.{LOAD}, placed.{LINE}, rule, "
        f"to_jsonb(incoming) - '{{{LOAD}, {LINE}}}'::text[] as row_data, 1 as rows "
        f"from placed inner join {incoming.relation} as incoming on incoming.ctid = placed.row where is_kept union all "
        f"select {LOAD}, null, rule, '{{}}'::jsonb, count(*) from placed where not is_kept group by {LOAD}, rule) "
        "insert into raw.raw_rejects "
        "(load_id, source_table, origin, line, column_name, reason, row_kept, row_data, rows) "
        f"select {LOAD}, %(table)s, (%(origins)s::text[])[array_position(%(loads)s::bigint[], {LOAD})], {LINE}, "
        "(%(columns)s::text[])[rule + 1], (%(reasons)s::text[])[rule + 1], %(row_kept)s, row_data, rows "
        f"from written order by {LOAD}, {LINE}, rule",
        {
            "most": kept_rejects.MOST_KEPT,
            "table": table.name,
            "loads": list(origins),
            "origins": list(origins.values()),
            "columns": [rule.column for rule in asked],
            "reasons": [rule.reason for rule in asked],
            "row_kept": row_kept,
        },
    )
