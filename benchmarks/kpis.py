"""`python -m benchmarks.kpis`: what it costs to build every KPI anew, beside a floor, and how that grows.

A company is made of numbers in SQL (`kpis.rows.sql`). The floor (`kpis.floor.sql`) is MRR, net and gross retention of
every month, for the whole company, from the subscriptions in one psql session; its figures must be those of fct_kpis.
"""

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from benchmarks.clocks import Took, measure
from benchmarks.results import write_section
from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.kpis.sync import sync_definitions
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.dbt_cli import dbt_environment, dbt_executable, week_variables
from cs_pipeline.warehouse.embedded import EmbeddedServer, binaries
from cs_pipeline.warehouse.migrate import migrate

FIRST, LAST = date(2023, 1, 1), date(2024, 12, 1)
MONTHS = 24
PRESENT = "2025-01-06T07:00:00Z"
LAST_WEEK = date(2024, 12, 30)
OWNERS_PER_ACCOUNT = 1 / 500
FLOOR = Path(__file__).with_name("kpis.floor.sql")
FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "8GB"}
FEW_ACCOUNTS = 100  # for what dbt costs however few they are


def main() -> None:
    """Measure, print, and keep the table in benchmarks/results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kpis", description=__doc__)
    parser.add_argument("--accounts", type=_sizes, default=[10_000, 100_000], help="sizes, with commas between")
    rows: list[str] = []
    start_up = _measure(FEW_ACCOUNTS, None, rows)
    for accounts in parser.parse_args().accounts:
        _measure(accounts, start_up, rows)
    write_section(
        "KPIs",
        [
            f"`python -m benchmarks.kpis`: every KPI of {MONTHS} months built anew, in all parts and windows, without",
            "tests. The floor is MRR, NRR and GRR of every month, of the whole ([kpis.floor.sql](kpis.floor.sql)).",
            "",
            "| what | accounts | wall s | processor s | comes to |",
            "|---|---:|---:|---:|---|",
            *rows,
        ],
    )


def _measure(accounts: int, start_up: Took | None, rows: list[str]) -> Took:
    """Build the KPIs of a company and its floor; without `start_up` it is the start that is measured."""
    with _company(accounts) as (warehouse, server, folder):
        with measure(server) as built:
            _dbt(warehouse, folder, "tag:kpis", exclude="path:models/reports")
        if start_up is None:
            _add(rows, "start of dbt, and next to nothing to do", accounts, built)
            return built
        psql = [str(binaries() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d", warehouse.url, "-f", str(FLOOR)]
        with measure(server) as floor:
            subprocess.run([*psql, "-v", f"first={FIRST}", "-v", f"last={LAST}"], check=True)
        _agree(warehouse)
        net = Took(built.wall - start_up.wall, built.processor - start_up.processor)
        told = _count(warehouse, "marts.fct_kpis")
        _add(rows, "floor: MRR, NRR and GRR of every month in one psql session", accounts, floor, "same figures")
        _add(rows, "every KPI, beside the start", accounts, net, f"{net.processor / floor.processor:.1f} × floor")
        per_month = f"{told:,} rows of {_count(warehouse, 'marts.fct_account_months'):,} account months"
        _add(rows, "the whole step", accounts, built, per_month)
        return built


@contextmanager
def _company(accounts: int) -> Iterator[tuple[Warehouse, Path, Path]]:
    """A warehouse with the company in it and all but the KPIs built."""
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        server = EmbeddedServer(folder / "postgres", FLEETING)
        try:
            warehouse = Warehouse(server.start())
            migrate(warehouse)
            _fill(warehouse, accounts)
            with warehouse.session() as session:
                sync_definitions(session, load_kpis(None))
            _dbt(warehouse, folder, "+tag:kpis", exclude="tag:kpis")
            _fill_weeks(warehouse)
            yield warehouse, folder / "postgres", folder
        finally:
            server.stop()


def _fill(warehouse: Warehouse, accounts: int) -> None:
    """Tables of the contract that KPIs read, with rows."""
    owners = max(1, round(accounts * OWNERS_PER_ACCOUNT))
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("insert into cs.loads (source_table, origin) values ('accounts', 'benchmark')")
        filled = ("tickets", "touchpoints", "survey_responses", "onboarding_progress")
        for table in read_contract().tables.values():
            if table.required or table.name in filled:
                table.create(cursor)
                table.create_indexes(cursor)
        sizes = {"accounts": accounts, "owners": owners, "months": MONTHS, "first": FIRST, "last": LAST}
        cursor.execute(read_sql(__file__, "rows", **{name: str(value) for name, value in sizes.items()}))
    with warehouse.session() as session:
        session.set_session(autocommit=True)
        with session.cursor() as cursor:
            cursor.execute("vacuum analyze")


def _fill_weeks(warehouse: Warehouse) -> None:
    """The last week of every month, of every account: its mart, as far as KPIs read it, and its score."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(read_sql(__file__, "weeks", first=str(FIRST), last=str(LAST)))
    with warehouse.session() as session:
        session.set_session(autocommit=True)
        with session.cursor() as cursor:
            cursor.execute("vacuum analyze")


def _dbt(warehouse: Warehouse, folder: Path, select: str, *, exclude: str) -> None:
    """Build models of the project, without tests. Raises SystemExit with dbt's words when it fails."""
    command = [dbt_executable(), "--no-use-colors", "build", "--select", select, "--exclude", exclude]
    command += [part for kind in ("unit_test", "test") for part in ("--exclude-resource-type", kind)]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "target")]
    variables = {"present": PRESENT, **week_variables(LAST_WEEK, LAST_WEEK)}
    environment = os.environ | dbt_environment(warehouse, variables)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"dbt failed:\n{done.stdout}{done.stderr}")


def _agree(warehouse: Warehouse) -> None:
    """Raises SystemExit where the floor and fct_kpis differ."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select floor.kpi, floor.month, floor.value, kpis.value
            from floor_kpis as floor
            left join marts.fct_kpis as kpis
                on
                    floor.kpi = kpis.kpi
                    and floor.month = kpis.month
                    and kpis.segment_kind = 'all'
                    and kpis.window_months = case floor.kpi when 'mrr' then 1 else 12 end
            where not coalesce(abs(floor.value - kpis.value) < 1e-6 * greatest(floor.value, 1), false)
            """
        )
        if wrong := cursor.fetchall():
            raise SystemExit(f"The floor and fct_kpis differ: {wrong[:5]}")


def _count(warehouse: Warehouse, table: str) -> int:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return (cursor.fetchone() or (0,))[0]


def _add(rows: list[str], what: str, accounts: int, took: Took, comes_to: str = "") -> None:
    rows.append(f"| {what} | {accounts:,} | {took.wall:,.1f} | {took.processor:,.1f} | {comes_to} |")
    print(rows[-1], flush=True)


def _sizes(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


if __name__ == "__main__":
    main()
