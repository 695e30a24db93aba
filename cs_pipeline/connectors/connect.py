"""Connect a vendor: look at its landed tables, enter it in `connectors.yaml`, and write the selects it has rows for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cs_pipeline.connectors.catalogue import ShippedConnector, find_connector
from cs_pipeline.connectors.connectors_entry import enter, propose
from cs_pipeline.connectors.landed_schema import LandedTable, look_at_schema
from cs_pipeline.connectors.template import AbsentTable, Filled, fill
from cs_pipeline.connectors.written_files import Written, write
from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.connectors_file import SOURCE_NAME, Connector, ConnectorsFile, read_connectors
from cs_pipeline.warehouse.mapping_files import LED


@dataclass(frozen=True)
class ConnectedTable:
    """A canonical table of the vendor: the file, or the tables it is left out for want of (`lacks`) with the metrics
    that have no other source then; columns of the vendor that are null, and tables done without.
    """

    table: str
    file: Written | None
    lacks: str = ""
    metrics_lost: tuple[str, ...] = ()
    absent_columns: tuple[str, ...] = ()
    absent_tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Connected:
    """What `connect` did. `leads`: tables whose rows this source decides. `unstated`: currencies without a rate.
    `has_no_id`: nothing says where the vendor's companies keep our account id.
    """

    tables: tuple[ConnectedTable, ...]
    entry_is_new: bool
    leads: tuple[str, ...]
    unstated: tuple[str, ...]
    has_no_id: bool


def connect(
    warehouse: Warehouse, vendor: str, flavour: str, schema: str, folder: Path, *, source: str = "", force: bool = False
) -> Connected:
    """Write `<table>/<source>.sql` into `folder` for every canonical table that the vendor's tables can fill. `source`:
    its name, if not the vendor's. `force`: over files that somebody changed, too.

    Raises UserError for a vendor, flavour or schema that is not there, and for one that has none of the tables.
    """
    shipped = find_connector(vendor, flavour)
    name = source or shipped.vendor
    if not SOURCE_NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot name a source: use lower-case letters, digits and _, beginning with a letter."
        )
    landed = look_at_schema(warehouse, schema)
    before = read_connectors(folder)
    leads = _leads(shipped, name, landed, before, folder)
    unstated = _other_currencies(warehouse, shipped, landed)
    entry_is_new = name not in before.connectors
    proposed = propose(shipped, schema, landed, leads, unstated)
    connector = before.connectors.get(name, proposed.connector)
    filled = {table: _filled(shipped, table, landed, connector) for table in shipped.tables}
    if not any(isinstance(each, Filled) for each in filled.values()):
        wanted = "; ".join(f"{table} needs {each}" for table, each in filled.items())
        raise UserError(f"The schema {schema!r} has none of the tables of {shipped.title}: {wanted}.")
    command = f"cs-pipeline connect {vendor} --flavour {shipped.flavour} --schema {schema}"
    command += f" --source {source}" if source else ""
    if entry_is_new:
        enter(folder, name, proposed)
    tables: list[ConnectedTable] = []
    for table, each in filled.items():
        if not isinstance(each, Filled):
            tables.append(ConnectedTable(table, None, str(each), _metrics_lost(table, folder)))
            continue
        file = write(folder / table / f"{name}.sql", each.sql, command, force=force)
        absent = tuple(dict.fromkeys(each.absent_columns)), tuple(dict.fromkeys(each.absent_tables))
        tables.append(ConnectedTable(table, file, "", (), *absent))
    without_rate = tuple(currency for currency in unstated if currency not in connector.currencies)
    has_no_id = shipped.flavour in shipped.spec.companies and not connector.account_id
    return Connected(tuple(tables), entry_is_new, connector.leads, without_rate, has_no_id)


def _filled(
    shipped: ShippedConnector, table: str, landed: Mapping[str, LandedTable], connector: Connector
) -> Filled | AbsentTable:
    try:
        return fill(shipped, table, landed, connector)
    except AbsentTable as absent:
        return absent


def _leads(
    shipped: ShippedConnector, name: str, landed: Mapping[str, LandedTable], before: ConnectorsFile, folder: Path
) -> tuple[str, ...]:
    """Of accounts and users the tables that the vendor has rows for and that no other source describes yet."""
    found: list[str] = []
    for table in LED:
        others = [path for path in folder.glob(f"{table}/*.sql") if path.stem != name]
        is_led = (folder / f"{table}.sql").exists() or before.leader_of(table) or others
        if table in shipped.tables and not is_led and isinstance(_filled(shipped, table, landed, Connector()), Filled):
            found.append(table)
    return tuple(found)


def _metrics_lost(table: str, folder: Path) -> tuple[str, ...]:
    """Metrics whose values come from a canonical table, unless another file of the folder fills it."""
    if (folder / f"{table}.sql").exists() or any(folder.glob(f"{table}/*.sql")):
        return ()
    return tuple(metric.name for metric in METRICS.values() if metric.source == table)


def _other_currencies(
    warehouse: Warehouse, shipped: ShippedConnector, landed: Mapping[str, LandedTable]
) -> tuple[str, ...]:
    """The currencies that occur, the most frequent first, where they are several."""
    selects: list[str] = []
    for where in shipped.spec.currencies:
        table, column = re.split(r"\.", where)
        if table in landed and column in landed[table].columns:
            selects.append(
                f"select lower({landed[table].columns[column].quoted}) as name from {landed[table].relation}"
            )
    if not selects:
        return ()
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"select name from ({' union all '.join(selects)}) as named where name is not null "
            "group by name order by count(*) desc, name"
        )
        names: Sequence[str] = [name for (name,) in cursor.fetchall()]
    return tuple(names) if len(names) > 1 else ()
