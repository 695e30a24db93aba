"""`python -m benchmarks.site`: what pages of the site cost at 100,000 accounts, and the book at 1,000,000.

Takes a copy of the company in your home folder, such as the demo's (`make demo`, `cs-pipeline up`), into a server
of its own, multiplies its accounts, and asks for every page of the registry. The floor is the page that asks for a
password: the frame, one question to the database, and nothing else.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from benchmarks.clocks import Took, processor_seconds_so_far
from benchmarks.results import write_section
from cs_pipeline.clock import Clock
from cs_pipeline.history.account_overview import write_overview
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.site.registry import PAGES
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer, binaries
from cs_pipeline.warehouse.locate import locate
from cs_pipeline.warehouse.migrate import migrate

ACCOUNTS, BOOK_ACCOUNTS = 100_000, 1_000_000
AT_MOST = 0.3  # seconds a page
REPEATED = 5
SCORED_WEEKS, MART_WEEKS = 13, 2
NOT_COPIED = ("public.*", "raw.events", "raw.events_*", "raw.email_events", "intermediate.*")
NOT_MULTIPLIED = (
    "raw.events", "raw.email_events", "raw.invoices", "raw.onboarding_progress", "raw.value_log", "raw.signups",
    "raw.survey_responses", "raw.integrations", "raw.orders", "raw.event_attendance", "cs.account_overview",
)  # fmt: skip
FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "8GB"}
QUESTIONS_OF_THE_BOOK = (
    "", "?at_risk=1&sort=arr", "?renews=90&sort=renewal", "?owner={owner}&sort=score", "?alerts=1&sort=arr",
    "?search=logistics", "?tier=enterprise&sort=drop", "?after=50|{account}", "?search=no such name",
)  # fmt: skip


def main() -> None:
    """Measure, print, and keep the table in benchmarks/results.md. Exits with 1 where a page takes too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--book-accounts", type=int, default=BOOK_ACCOUNTS)
    asked = parser.parse_args()
    settings = load_settings()
    rows: list[str] = []
    with copied(locate(settings)) as (warehouse, server):
        count = multiply(warehouse, asked.accounts)
        pages = [path for page in PAGES for path in _addresses(page.path, page.examples, warehouse)]
        slow = measure_pages(settings, warehouse, server, count, ["/sign-in", *pages, *_book(warehouse)], rows)
        count = multiply_book(warehouse, asked.book_accounts)
        slow |= measure_pages(settings, warehouse, server, count, ["/sign-in", *_book(warehouse)], rows)
    write_section(
        "Pages of the site",
        [
            f"`python -m benchmarks.site`: median of {REPEATED} requests to a warm server, one at a time. Seconds of a",
            "processor are those of the site and of PostgreSQL; the floor is the page that asks for a password.",
            "",
            "| page | accounts | wall s | processor s | × floor |",
            "|---|---:|---:|---:|---:|",
            *rows,
        ],
    )
    if slow:
        raise SystemExit(f"More than {AT_MOST} s of a processor: {', '.join(sorted(slow))}")


@contextmanager
def copied(source: Warehouse) -> Iterator[tuple[Warehouse, Path]]:
    """A copy of the company, without its events, in a server of its own, and the folder of that."""
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        server = EmbeddedServer(folder / "postgres", FLEETING)
        try:
            warehouse = Warehouse(server.start())
            left_out = [f"--exclude-table-data={pattern}" for pattern in NOT_COPIED]
            dump = [str(binaries() / "pg_dump"), "--no-owner", "--no-privileges", *left_out, source.url]
            restore = [str(binaries() / "psql"), "-q", "-d", warehouse.url]
            with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
                subprocess.run(restore, stdin=dumping.stdout, stdout=subprocess.DEVNULL, check=True)
            migrate(warehouse)
            yield warehouse, folder / "postgres"
        finally:
            server.stop()


def multiply(warehouse: Warehouse, accounts: int) -> int:
    """Copy every account with what belongs to it, until there are about so many; returns how many there are."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica; set local search_path = cs, public")
        cursor.execute(
            f"""
            delete from cs.health_scores
            where not is_active or week <= (select max(week) - 7 * {SCORED_WEEKS} from cs.scored_weeks);
            delete from marts.fct_account_weeks
            where week <= (select max(week) - 7 * {MART_WEEKS} from cs.scored_weeks)
            """
        )
        cursor.execute("select count(*) from raw.accounts")
        copies = accounts // max((cursor.fetchone() or (1,))[0], 1)
        cursor.execute(_COLUMNS, [list(NOT_MULTIPLIED)])
        for table, names, values in cursor.fetchall():
            cursor.execute(_COPY.format(table=table, names=names, values=values, last=copies - 1))
    with warehouse.session() as session:
        session.set_session(autocommit=True)
        with session.cursor() as cursor:
            cursor.execute("vacuum analyze")
    write_overview(warehouse)
    return _accounts(warehouse)


def multiply_book(warehouse: Warehouse, accounts: int) -> int:
    """Copy the rows of the overview only, until there are about so many; returns how many there are."""
    copies = accounts // max(_accounts(warehouse), 1)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(_COLUMNS_OF_THE_BOOK)
        ((table, names, values),) = cursor.fetchall()
        cursor.execute(_COPY.format(table=table, names=names, values=values, last=copies - 1))
        cursor.execute("analyze cs.account_overview")
    return _accounts(warehouse)


def measure_pages(
    settings: Settings, warehouse: Warehouse, server: Path, count: int, paths: Sequence[str], rows: list[str]
) -> set[str]:
    """Ask for each page several times, add a row each, and return those that take too long; the first is the floor."""
    slow, floor = set[str](), 0.0
    pool = PooledWarehouse(warehouse.url)
    quiet = settings.model_copy(update={"site_user_header": "", "site_listen": ""})
    with TestClient(site_app(quiet, pool, Clock(settings.now)), base_url="http://127.0.0.1") as client:
        for path in dict.fromkeys(paths):
            took = _took(client, path, server)
            floor = floor or took.processor
            row = f"| `{path}` | {count:,} | {took.wall:.3f} | {took.processor:.3f} | {took.processor / floor:.1f} |"
            rows.append(row)
            print(row, flush=True)
            if took.processor > AT_MOST:
                slow.add(path)
    pool.close()
    return slow


def _took(client: TestClient, path: str, server: Path) -> Took:
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
    walls = []
    before = processor_seconds_so_far(server)
    for _ in range(REPEATED):
        began = time.perf_counter()
        client.get(path)
        walls.append(time.perf_counter() - began)
    return Took(statistics.median(walls), (processor_seconds_so_far(server) - before) / REPEATED)


def _addresses(path: str, examples: Callable[..., list[str]] | None, warehouse: Warehouse) -> list[str]:
    if examples is None:
        return [path]
    with warehouse.session() as session:
        return examples(session)


def _book(warehouse: Warehouse) -> list[str]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select owner_email, account_id from cs.account_overview where score = 50 limit 1")
        owner, account = cursor.fetchone() or ("", "")
    return [f"/accounts{question.format(owner=owner, account=account)}" for question in QUESTIONS_OF_THE_BOOK]


def _accounts(warehouse: Warehouse) -> int:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select count(*) from cs.account_overview")
        return (cursor.fetchone() or (0,))[0]


_COPY = """
insert into {table} ({names}) overriding system value
select {values}
from {table}
cross join generate_series(1, {last}) as k
"""
_COLUMNS = """
select
    format('%%I.%%I', columns.table_schema, columns.table_name),
    string_agg(format('%%I', columns.column_name), ', ' order by columns.ordinal_position),
    string_agg(
        case
            when columns.column_name !~ '(_id|_key)$' or columns.column_name = '_load_id'
                then format('%%I', columns.column_name)
            when columns.data_type = 'text' then format('%%I || ''~'' || k', columns.column_name)
            when columns.data_type in ('bigint', 'integer') then format('%%I + k * 1000000', columns.column_name)
            else format('%%I', columns.column_name)
        end,
        ', ' order by columns.ordinal_position
    )
from information_schema.columns as columns
inner join information_schema.tables as tables using (table_schema, table_name)
where
    tables.table_type = 'BASE TABLE'
    and columns.is_generated = 'NEVER'
    and columns.table_schema in ('raw', 'marts', 'cs')
    and columns.table_schema || '.' || columns.table_name <> all(%s)
group by columns.table_schema, columns.table_name
having bool_or(columns.column_name = 'account_id')
"""
_COLUMNS_OF_THE_BOOK = """
select
    'cs.account_overview',
    string_agg(column_name, ', ' order by ordinal_position),
    string_agg(
        case when column_name = 'account_id' then 'account_id || ''~b'' || k' else column_name end,
        ', ' order by ordinal_position
    )
from information_schema.columns
where table_schema = 'cs' and table_name = 'account_overview' and is_generated = 'NEVER'
"""

if __name__ == "__main__":
    main()
