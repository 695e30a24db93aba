"""Let one source lead where several describe the same accounts or users: others fill what its rows lack."""

from collections.abc import Mapping

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.mapping import InstalledMapping
from cs_pipeline.warehouse.put_aside import put_aside
from cs_pipeline.warehouse.validation import Rule

OPTED_OUT = "unsubscribed_at"
_OTHERS = {"accounts": "is none of the accounts", "users": "is none of the users"}


def let_one_lead(cursor: Cursor, table: SourceTable, incoming: Incoming, loads: Mapping[int, InstalledMapping]) -> int:
    """Fill what the leading source's rows lack from the others', one source after the other; put aside the rows of
    others that are about nobody whom the leading one has. How many these are.
    """
    (leader, _), *others = loads.items()
    relation, rejected = incoming.relation, 0
    same = "led.account_id = other.account_id"
    ways = [same] if table.name == "accounts" else ["led.user_id = other.user_id"]
    if table.name == "users" and "email" in incoming.types:
        ways.append(f"{same} and cs.address_of(led.email) = cs.address_of(other.email)")
    for load_id, view in others:
        pairs = " union ".join(
            f"select led.ctid as row, other.ctid as other from {relation} as other "
            f"inner join {relation} as led on {way} where other.{LOAD} = {load_id} and led.{LOAD} = {leader}"
            for way in ways
        )
        cursor.execute(f"create temporary table pairs on commit drop as {pairs}")
        reason = f"{_OTHERS[table.name]} of {loads[leader].name}, which leads"
        rejected += put_aside(
            cursor,
            table,
            incoming,
            {load_id: view.origin},
            [Rule(table.key[0], reason, "")],
            f"select other.ctid as row, 0 as rule from {relation} as other "
            f"where other.{LOAD} = {load_id} and not exists (select from pairs where pairs.other = other.ctid)",
        )
        filled = [name for name in view.columns if _may_fill(table, loads[leader], name)]
        if filled:
            values = ", ".join(f"{name} = coalesce(incoming.{name}, other.{name})" for name in filled)
            cursor.execute(
                f"update {relation} as incoming set {values} from (select distinct on (pairs.row) pairs.row as of_row, "
                f"other.* from pairs inner join {relation} as other on other.ctid = pairs.other "
                "order by pairs.row, other::text) as other where incoming.ctid = other.of_row"
            )
        cursor.execute(f"delete from {relation} where {LOAD} = %s", (load_id,))
        cursor.execute("drop table pairs")
    return rejected


def _may_fill(table: SourceTable, leader: InstalledMapping, name: str) -> bool:
    """Whether another source may fill what the leading one leaves empty. Where empty says something, such as "still a
    customer", and the leading source has the column, it has said it; who asked for no more mail counts wherever it
    stands.
    """
    if name in (*table.key, "account_id", LOADED_AT):
        return False
    return name == OPTED_OUT or not (table.column(name).empty_says and name in leader.columns)
