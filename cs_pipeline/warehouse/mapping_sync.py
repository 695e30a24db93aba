"""Pull the rows of installed mappings into schema `raw`, through the checks that files go through.

Rows of several selects of a table come together here: those without an account are looked up (`mapping_identity`), and
of accounts and users the leading source's rows take what they lack from the others.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import contract as raw
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SourceTable, exists, read_contract
from cs_pipeline.warehouse.incoming import LINE, LOAD, Incoming, prepare
from cs_pipeline.warehouse.load import finish_loads
from cs_pipeline.warehouse.load_report import LoadReport, OnProgress, Progress, Stage, TableReport, silent
from cs_pipeline.warehouse.mapping import CHANGED_AT, HELPERS, WORDS, InstalledMapping, installed_mappings, types_of
from cs_pipeline.warehouse.mapping_arrivals import origins_read_before, stamp_arrivals
from cs_pipeline.warehouse.mapping_files import LED
from cs_pipeline.warehouse.mapping_identity import (
    NOT_FOUND,
    find_accounts,
    forget_who_is_known,
    has_helpers,
    learn_who_is_known,
)
from cs_pipeline.warehouse.mapping_leading import let_one_lead
from cs_pipeline.warehouse.mapping_reader import copy_rows
from cs_pipeline.warehouse.mapping_vanished import count_vanished, remove_vanished
from cs_pipeline.warehouse.mapping_watermark import Reading, begin_reading, reading_of, remember
from cs_pipeline.warehouse.put_aside import put_aside
from cs_pipeline.warehouse.rejects import count_rejects_of_loads
from cs_pipeline.warehouse.spellings import BLANKS
from cs_pipeline.warehouse.upsert import upsert_incoming
from cs_pipeline.warehouse.validation import Rule

_SAME = {"timestamptz": "timestamp with time zone"}  # the contract's name: PostgreSQL's

Installed = Mapping[str, Sequence[InstalledMapping]]


def sync_mappings(
    warehouse: Warehouse,
    *,
    stamp: datetime | None = None,
    whole: bool = False,
    remove_vanished_of: Collection[str] = (),
    on_progress: OnProgress = silent,
) -> LoadReport:
    """Upsert the rows of every installed mapping into schema `raw`, one transaction a table.

    Rows that break the contract are put aside with the origin `mapping <table>`, or `mapping <table>/<source>`; a
    canonical table without a mapping is left as it is, absent if it was. `stamp`: the present, written as `_loaded_at`
    of rows that have none and came after their mapping was first read. `whole`: read every row, not only what changed
    since the last time. `remove_vanished_of`: tables, read whole then, whose rows that mappings brought before and do
    not bring any more are deleted. Raises UserError when no mapping is installed or a view fails to run.
    """
    contract = read_contract()
    with warehouse.session() as session, session.cursor() as cursor:
        installed = installed_mappings(cursor)
        missing = [
            table.name
            for table in contract.tables.values()
            if table.required and table.name not in installed and not exists(cursor, table)
        ]
    if missing:
        raise UserError(f"No mapping is installed for {', '.join(missing)}; run `cs-pipeline map FOLDER`.")
    if unknown := [name for name in remove_vanished_of if name not in installed]:
        raise UserError(f"No mapping is installed for {', '.join(unknown)}; there are some for {', '.join(installed)}.")
    return LoadReport(
        tuple(
            _sync(
                warehouse,
                table,
                installed,
                stamp,
                on_progress,
                whole=whole or table.name in remove_vanished_of,
                removes=table.name in remove_vanished_of,
            )
            for table in contract.in_load_order()
            if table.name in installed
        )
    )


def _sync(
    warehouse: Warehouse,
    table: SourceTable,
    installed: Installed,
    stamp: datetime | None,
    on_progress: OnProgress,
    *,
    whole: bool,
    removes: bool,
) -> TableReport:
    began = time.perf_counter()
    views = installed[table.name]
    rows: dict[int, int] = {}

    def at(stage: Stage) -> None:
        on_progress(Progress(table.name, stage, sum(rows.values()), 0.0 if stage == "reading" else 1.0))

    with warehouse.session() as session, session.cursor() as cursor:
        prepare(cursor)
        at("reading")
        read_before = origins_read_before(cursor, table)
        readings = {view: reading_of(cursor, table, view, whole=whole) for view in views}
        loads = {begin_reading(cursor, table, view, reading): view for view, reading in readings.items()}
        origins = {load_id: view.origin for load_id, view in loads.items()}
        incoming = _pull(warehouse, cursor, table, loads, readings, rows)
        for load_id, view in loads.items():
            remember(cursor, view, load_id, readings[view], incoming)
        rejected = 0
        if has_helpers(cursor, views):
            rejected = _identify(warehouse, cursor, table, incoming, installed, origins)
        if len(views) > 1 and table.name in LED:
            rejected += let_one_lead(cursor, table, incoming, loads)
        if stamp:
            again = [load_id for load_id, origin in origins.items() if origin in read_before]
            incoming = stamp_arrivals(cursor, table, incoming, again, stamp)
        upserted = upsert_incoming(cursor, table, incoming, origins, at)
        removed = remove_vanished(cursor, table, incoming, min(loads)) if removes else 0
        is_whole = all(each.since is None for each in readings.values())
        vanished = count_vanished(cursor, table, incoming) if is_whole else 0
        cursor.execute(f"drop table {incoming.relation}")
        finish_loads(cursor, table, rows, upserted.loaded)
        reasons = count_rejects_of_loads(cursor, list(loads))
        at("done")
    return TableReport(
        table=table.name,
        origins=tuple(origins.values()),
        rows_read=sum(rows.values()),
        rows_loaded=upserted.loaded,
        rows_rejected=rejected + upserted.rejected,
        seconds=time.perf_counter() - began,
        reasons=tuple(reasons),
        rows_vanished=vanished,
        rows_removed=removed,
        since=min((each.since for each in readings.values() if each.since), default=None),
    )


def _pull(
    warehouse: Warehouse,
    cursor: Cursor,
    table: SourceTable,
    loads: Mapping[int, InstalledMapping],
    readings: Mapping[InstalledMapping, Reading],
    rows: dict[int, int],
) -> Incoming:
    """The views' rows as incoming ones, `rows` of each load; columns of another type than the contract's as text
    without blanks around it, empty text as nothing; helper columns behind those of the contract.
    """
    types = {load_id: types_of(cursor, view.relation) for load_id, view in loads.items()}
    kinds = _kinds(table, list(types.values()))
    incoming = Incoming(f"{raw.SCHEMA}._incoming_{table.name}", kinds)
    names = dict(kinds)
    if any(name in each for each in types.values() for name in HELPERS):
        names |= dict.fromkeys(HELPERS, "text")
    if any(CHANGED_AT in each for each in types.values()):
        names[CHANGED_AT] = "timestamptz"
    for load_id, view in loads.items():
        values = [_value(name, types[load_id].get(name), kind) for name, kind in names.items()]
        columns = ", ".join([f"{load_id}::bigint as {LOAD}", f"null::bigint as {LINE}", *values])
        reading = readings[view]
        select = f"select {columns} from {view.relation} where {reading.condition}"
        since = reading.since.isoformat() if reading.since else ""
        parameters = {"blanks": BLANKS, "since": since}
        with view.read_in_words():
            if not rows:
                create = f"create unlogged table {incoming.relation} as {select} with no data"
                cursor.execute(create, parameters)
            rows[load_id] = copy_rows(warehouse, select, parameters, cursor, incoming.relation, since=since)
    return incoming


def _kinds(table: SourceTable, types: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The columns that come in: of the contract's type where they are so in every view that has them, else text."""
    kinds: dict[str, str] = {}
    names = dict.fromkeys(name for each in types for name in each if name not in (*HELPERS, CHANGED_AT))
    if any(name in each for each in types for name in HELPERS) and "user_id" in table.column_names:
        names["user_id"] = None
    for name in names:
        wanted = table.column(name).data_type
        given = {each[name] for each in types if name in each}
        kinds[name] = wanted if wanted != "text" and given == {_SAME.get(wanted, wanted)} else "text"
    return kinds


def _value(name: str, given: str | None, kind: str) -> str:
    """A column of a view, of the type `given`, as SQL of the type in which it comes in."""
    if given is None:
        return f"null::{kind} as {name}"
    if name == CHANGED_AT:
        return f"{name}::timestamptz as {name}"
    if kind != "text":
        return name
    text = f"btrim({name}::text, %(blanks)s)" if given in WORDS else f"{name}::text"
    return f"nullif({text}, '') as {name}"


def _identify(
    warehouse: Warehouse,
    cursor: Cursor,
    table: SourceTable,
    incoming: Incoming,
    installed: Installed,
    origins: dict[int, str],
) -> int:
    """Give rows without an account, and without a user, those that their address or domain finds; put aside those for
    which there is no account, with the reason. How many these are.
    """
    learn_who_is_known(warehouse, cursor, table.name, installed)
    find_accounts(cursor, incoming.relation)
    reasons = [Rule("account_id", words, "") for words in NOT_FOUND.values()]
    numbered = " ".join(f"when '{name}' then {number}" for number, name in enumerate(NOT_FOUND))
    rejected = put_aside(
        cursor,
        table,
        incoming,
        origins,
        reasons,
        f"select row, case found_by {numbered} end as rule from found where account_id is null",
    )
    cursor.execute(
        f"update {incoming.relation} as incoming set account_id = found.account_id from found "
        "where incoming.ctid = found.row and found.account_id is not null"
    )
    if "user_id" in table.column_names and table.name != "users":
        cursor.execute(
            f"update {incoming.relation} as incoming set user_id = known.user_id from known_users as known "
            "where incoming.user_id is null and incoming.account_id = known.account_id "
            "and cs.address_of(incoming._email) = known.address"
        )
    forget_who_is_known(cursor)
    cursor.execute("drop table found")
    return rejected
