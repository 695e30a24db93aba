"""Examine the database: the server, what the role may do, source tables, scores, contracts, tasks of the CRM."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from cs_pipeline.cli.doctor.finding import Finding, guarded
from cs_pipeline.clock import Clock
from cs_pipeline.first_few import first_few
from cs_pipeline.history.holes import holes
from cs_pipeline.reports.scores.text import weeks_in_words
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.trial import try_out

IS_NOT_MIGRATED = (  # `to_regclass` would ask for a right on the schema
    "select not exists (select from pg_class where relname = 'actions' and relnamespace = to_regnamespace('cs'))"
)
NAMED = 5  # accounts that a finding names
NEWEST_EVENTS = 1_000
"""Of the events that were loaded last, so many are looked for in all months: loads look near their time only."""


def examine_server(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    """Its version, and what the role may do. Raises UserError where nobody answers."""
    version = _scalar(warehouse, "select split_part(version(), ' ', 2)")
    kind = "embedded" if settings.database_url is None else "yours"
    yield Finding("PostgreSQL", "ok", f"{version} at {warehouse.location} ({kind})")
    yield from guarded(
        "database", lambda: (Finding(each.subject, each.state, each.words) for each in try_out(warehouse))
    )


def is_migrated(warehouse: Warehouse) -> bool:
    """Whether the `cs` schema is there."""
    return not _scalar(warehouse, IS_NOT_MIGRATED)


def examine_data(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    """Source tables, scores, weeks without them, contracts that raise a doubt, whether the score knows, and drifts."""
    yield from guarded("source tables", lambda: _source_tables(warehouse))
    yield from guarded("event ids", lambda: _event_ids(warehouse))
    yield from guarded("scores", lambda: _scores(warehouse, settings))
    yield from guarded("contracts", lambda: _contracts(warehouse, settings))
    yield from guarded("score", lambda: _knowledge(warehouse))
    yield from guarded("drift", lambda: _drift(warehouse))


def examine_crm(warehouse: Warehouse, settings: Settings) -> Finding:
    """Where tasks stand, and when they were last read back."""
    tasks, newest = _rows(
        warehouse, "select count(*) filter (where status = 'open'), max(read_at) from cs.task_status"
    )[0]
    if settings.crm == "table":
        return Finding("CRM", "ok", f"none connected; {tasks:,} open tasks here: `cs-pipeline task list`")
    if settings.delivery == "capture":
        return Finding("CRM", "note", f"{settings.crm}, once delivery is not capture; until then tasks stand here")
    read = f"last read {newest:%Y-%m-%d %H:%M} UTC" if isinstance(newest, datetime) else "not read back yet"
    return Finding("CRM", "ok", f"{settings.crm}: {tasks:,} open tasks, {read}")


def _event_ids(warehouse: Warehouse) -> Iterator[Finding]:
    """Whether the newest load brought ids of events that stand at a time far from theirs."""
    if not _scalar(warehouse, "select to_regclass('raw.events') is not null"):
        return
    looked_at, twice, first = _rows(
        warehouse,
        f"""
        with newest as materialized (
            select event_id
            from raw.events
            where _load_id = (select max(load_id) from cs.loads where source_table = 'events' and rows_loaded > 0)
            limit {NEWEST_EVENTS}
        ),

        found as (
            select event_id
            from raw.events
            where event_id = any(array(select event_id from newest))
            group by event_id
            having count(*) > 1
        )

        select (select count(*) from newest), count(*), min(event_id) from found
        """,
    )[0]
    if twice:
        words = f"{twice:,} of the {looked_at:,} events that were loaded last has the id of an event at another time, "
        words += f"as {first}: an id that comes again more than two weeks off counts as another event "
        yield Finding("event ids", "note", f"{words}(docs/bring-your-data.md, Months)")


def _source_tables(warehouse: Warehouse) -> Iterator[Finding]:
    rows = _rows(
        warehouse,
        """
        select whole.relname, coalesce(sum(greatest(part.reltuples, 0)), 0)::bigint
        from pg_class as whole
        left join pg_class as part
            on part.relkind = 'r' and coalesce(pg_partition_root(part.oid), part.oid) = whole.oid
        where whole.relnamespace = 'raw'::regnamespace and whole.relkind in ('r', 'p') and not whole.relispartition
        group by whole.oid, whole.relname
        """,
    )
    present = {str(name): int(str(count)) for name, count in rows}
    tables = read_contract().tables
    for table in tables.values():
        if table.required:
            found = table.name in present
            words = f"about {present[table.name]:,} rows" if found else "missing: `cs-pipeline load DIR` brings it"
            yield Finding(f"raw.{table.name}", "ok" if found else "wrong", words)
    absent = [table.name for table in tables.values() if not table.required and table.name not in present]
    if absent:
        yield Finding("optional tables", "note", f"absent, their metrics are missing: {', '.join(absent)}")
    rejects = _scalar(warehouse, "select coalesce(sum(rows), 0)::bigint from raw.raw_rejects")
    if rejects:
        words = f"{rejects:,} rows or values of rows broke the contract: `cs-pipeline data rejects` shows them"
        yield Finding("rejects", "note", words)


def _scores(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    rows = _rows(
        warehouse,
        """
        select max(week), count(*) filter (where is_active and week = (select max(week) from cs.health_scores))
        from cs.health_scores
        """,
    )
    week, accounts = rows[0]
    if week is None:
        yield Finding("scores", "note", "no week is scored yet: `cs-pipeline backfill --from … --to …`")
    else:
        yield Finding("scores", "ok", f"{accounts:,} accounts in the newest week, {week}")
        yield from _holes(warehouse, settings, week)


def _holes(warehouse: Warehouse, settings: Settings, newest: object) -> Iterator[Finding]:
    """Weeks between the first scored one and the last that has ended, without scores."""
    today = Clock(settings.now).now().date()
    this_week = today - timedelta(days=today.weekday())
    last_due = this_week - timedelta(days=7)  # it is scored in the course of this week
    with warehouse.session() as session:
        missing = holes(session, last_due)
    if not missing:
        return
    words = f"never scored: {weeks_in_words(missing)}. "
    if isinstance(newest, date) and missing[-1] > newest:
        words += "The next run of weekly_health_schedule asks for them; "
    words += "`cs-pipeline backfill --from … --to …` scores them, and contacts nobody"
    yield Finding("weeks", "wrong", words)


def _contracts(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    from cs_pipeline.history.contract_doubts import MEANINGS, contract_doubts

    if _scalar(warehouse, "select to_regclass('marts.fct_subscription_terms') is null"):
        return
    doubts = contract_doubts(warehouse, Clock(settings.now).now())
    for doubt, rows in doubts.groupby("doubt"):
        named = rows["account_id"].dropna().unique()
        which = first_few(named, NAMED) or str(rows["words"].iloc[0])
        yield Finding("contracts", "note", f"{MEANINGS[str(doubt)]} (docs/contracts.md): {which}")


def _knowledge(warehouse: Warehouse) -> Iterator[Finding]:
    from cs_pipeline.backtest.knowledge import what_the_score_knows

    if _scalar(warehouse, "select to_regclass('marts.fct_account_weeks') is null"):
        return
    if _scalar(warehouse, "select not exists (select 1 from marts.fct_account_weeks)"):
        return
    found = what_the_score_knows(warehouse)
    yield Finding("score", "ok" if found.knows else "note", found.words)


def _drift(warehouse: Warehouse) -> Iterator[Finding]:
    from cs_pipeline.backtest.drift import drift_of

    for found in drift_of(warehouse):
        yield Finding("drift", "ok" if found.is_steady else "note", found.words)


def _rows(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _scalar(warehouse: Warehouse, sql: str) -> object:
    return _rows(warehouse, sql)[0][0]
