"""A small warehouse that a test fills row by row and builds with dbt. What the models answer is tested beside them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg2.extras
import pytest
import yaml
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SourceTable, read_contract
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.moved_rows import move_rows
from cs_pipeline.warehouse.spread import is_spread, place_table
from cs_pipeline.warehouse.spread_upsert import write_spread
from tests.builders.months import have_months
from tests.builders.parsed_project import ParsedProject
from tests.builders.warm_dbt import do_not_ask_dbt_for_what_nobody_reads

PROJECT = Path(__file__).parents[2] / "dbt_project"
LATER = ("tag:weekly", "tag:alerts", "fct_kpis", "path:models/intermediate/kpis", "path:models/reports")
"""What reads the weeks, or what is made of them: to be left out of a build that comes before them."""
Row = Mapping[str, Any]
_RELATION = re.compile(r"\b(?:raw|staging|intermediate|marts|snapshots|cs)\.\w+\b(?! *\()")


def options(scratch: Path) -> list[str]:
    """What every dbt command of a test is told: our project, and to write nowhere else than to `scratch`."""
    folders = ["--project-dir", PROJECT, "--profiles-dir", PROJECT]
    outputs = ["--target-path", scratch / "target", "--log-path", scratch / "logs"]
    unread = ["--no-write-json", "--log-level-file", "none"]  # a third of a small run is to write what nobody reads
    return [*map(str, [*folders, *outputs]), *unread, "--quiet", "--no-use-colors"]


class DbtWarehouse:
    """Rows in, `dbt build`, rows out."""

    def __init__(self, warehouse: Warehouse, project: ParsedProject, scratch: Path) -> None:
        self.warehouse = warehouse
        self._project = project
        self._scratch = scratch
        self._contract = read_contract()
        for table in self._contract.tables.values():
            if table.required:
                self._create(table)

    @property
    def is_spread(self) -> bool:
        """Whether tables are spread over the servers of a Citus."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            return is_spread(cursor)

    def load(self, table: str, *rows: Row) -> None:
        """Insert the rows as one load; rows whose key is there already are replaced, as the loader does."""
        source = self._contract.tables[table]
        self._create(source)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        replaced = ", ".join(f"{column} = excluded.{column}" for column in [*columns, "_load_id"])
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("insert into cs.loads (source_table, origin) values (%s, 'test') returning load_id", [table])
            (load_id,) = cursor.fetchone() or (0,)
            if is_spread(cursor):
                _load_spread(cursor, source, columns, rows, load_id)
                return
            if source.can_move:
                months = have_months(cursor, [row[source.event_time] for row in rows], source)
                cursor.execute(
                    f"create temporary table came on commit drop as select {', '.join(source.stored_key)} "
                    f"from {source.relation} with no data"
                )
                keys = [[row[column] for column in source.stored_key] for row in rows]
                psycopg2.extras.execute_values(cursor, "insert into came values %s", keys)
                types = {column: source.column(column).data_type for column in source.stored_key}
                move_rows(cursor, source, Incoming("came", types), load_id, months)
            psycopg2.extras.execute_values(
                cursor,
                f"insert into {source.relation} ({', '.join(columns)}, _load_id) values %s "
                f"on conflict ({', '.join(source.stored_key)}) do update set {replaced}",
                [[*(row.get(column) for column in columns), load_id] for row in rows],
            )

    def build(self, *arguments: str, **variables: str) -> None:
        """Run `dbt build` with the variables; fails with what dbt said."""
        failed = self.failures("build", "--exclude-resource-type", "unit_test", *arguments, **variables)
        assert not failed, "\n".join(failed)

    def build_weeks(self, first: str, last: str | None = None, **variables: str) -> None:
        """Build the weekly models for the Mondays `first` to `last`."""
        self.build("--select", "tag:weekly", week_from=first, week_to=last or first, **variables)

    def failures(self, command: str, *arguments: str, **variables: str) -> list[str]:
        """What went wrong when dbt ran, one entry a node; empty when all is well."""
        from dbt.cli.main import dbtRunner

        variables_given = ["--vars", yaml.safe_dump(variables)]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.warehouse.dbt_environment().items():
                patch.setenv(name, value)
            done = dbtRunner(manifest=self._project.in_database(self.warehouse.database)).invoke(
                [command, *options(self._scratch), *arguments, *variables_given]
            )
        if done.exception:
            return [str(done.exception)]
        results: Any = done.result
        return [
            f"{result.node.name}: {result.status}: {result.message}"
            for result in results
            if result.status not in ("success", "pass", "no-op")
        ]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer of a query."""
        with (
            self.warehouse.session() as session,
            session.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(sql)
            return [dict(row) for row in cursor.fetchall()]

    def plain_rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer of a query in which anything may be asked: what it reads is brought together first from the
        servers of a Citus, which has no lateral joins over them, for one.
        """
        with (
            self.warehouse.session() as session,
            session.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as rows,
            session.cursor() as cursor,
        ):
            if is_spread(cursor):
                for relation in sorted(set(_RELATION.findall(sql))):
                    here = f"pg_temp.{relation.partition('.')[2]}"
                    cursor.execute(f"create temporary table {here} on commit drop as select * from {relation}")
                    sql = re.sub(rf"\b{re.escape(relation)}\b", here, sql)
            rows.execute(sql)
            return [dict(row) for row in rows.fetchall()]

    def asked(self, rule: str, columns: str, *moments: str) -> list[tuple[Any, ...]]:
        """What an alert rule finds at the moments."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("select set_config('cs_pipeline.moments', %s, true)", [",".join(moments)])
            cursor.execute(f"select {columns} from alerts.{rule} order by 1, 2")
            return cursor.fetchall()

    def column(self, sql: str) -> list[Any]:
        """The first column of the answer of a query."""
        return [next(iter(row.values())) for row in self.rows(sql)]

    def execute(self, sql: str) -> None:
        """Run a statement."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)

    def _create(self, table: SourceTable) -> None:
        with self.warehouse.session() as session, session.cursor() as cursor:
            if table.create(cursor):
                spread = is_spread(cursor)
                table.create_indexes(cursor, is_spread=spread)
                if spread:
                    place_table(cursor, table.relation, place_of_source(table))


def _load_spread(
    cursor: Cursor, source: SourceTable, columns: Sequence[str], rows: Sequence[Row], load_id: int
) -> None:
    """The same where the table is spread over the servers of a Citus."""
    months = have_months(cursor, [row[source.event_time] for row in rows], source) if source.by_month else []
    incoming = Incoming("came", {column: source.column(column).data_type for column in columns})
    listed = ", ".join(f"{column} {data_type}" for column, data_type in incoming.types.items())
    cursor.execute(f"create temporary table came ({listed}, {LOAD} bigint) on commit drop")
    psycopg2.extras.execute_values(
        cursor, "insert into came values %s", [[*(row.get(column) for column in columns), load_id] for row in rows]
    )
    values = {column: f"incoming.{column}" for column in columns}
    write_spread(cursor, source, incoming, values, load_id, months)


@pytest.fixture(scope="session")
def dbt_project(tmp_path_factory: pytest.TempPathFactory) -> ParsedProject:
    """The project, parsed once; needs no database."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    do_not_ask_dbt_for_what_nobody_reads()
    scratch = tmp_path_factory.mktemp("dbt_parse")
    done = dbtRunner().invoke(["parse", *options(scratch)])
    assert isinstance(done.result, Manifest), done.exception
    return ParsedProject(done.result)


@pytest.fixture
def dbt_warehouse(warehouse: Warehouse, dbt_project: ParsedProject, tmp_path: Path) -> DbtWarehouse:
    """Required tables without rows, nothing built yet."""
    return DbtWarehouse(warehouse, dbt_project, tmp_path)


def accounts(*account_ids: str, **values: Any) -> Sequence[Row]:
    """Accounts that signed up at the start of 2024, unless `values` say otherwise."""
    return [
        {"account_id": account_id, "account_name": account_id, "created_at": "2024-01-01 00:00Z", **values}
        for account_id in account_ids
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder run on one worker: only one loads dbt, parses the project and builds what they share."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("dbt"))
            item.add_marker(pytest.mark.slow(seconds=2))
