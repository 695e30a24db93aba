"""Databases as their administrators keep them: what stands in the way is said in a sentence, the rest is overcome."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import dagster as dg
import psycopg2
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.migrate import migrate
from cs_pipeline.warehouse.refusals import DatabaseRefusal
from cs_pipeline.warehouse.schemas import SCHEMAS
from cs_pipeline.warehouse.trial import try_out
from tests.builders.databases import Databases
from tests.command_line import run_command

pytestmark = pytest.mark.one_server("`drop owned by` ends the server (13.2), and roles are made on one server")

MakeRole = Callable[..., Warehouse]
Run = Callable[..., tuple[int, str]]


def execute(warehouse: Warehouse, *statements: str) -> None:
    connection = psycopg2.connect(warehouse.url, options="-c default_transaction_read_only=off")
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


@pytest.fixture
def empty(databases: Databases) -> Iterator[Warehouse]:
    """A database in which nobody has made anything."""
    made = databases.create()
    yield made
    databases.drop(made)


@pytest.fixture
def make_role(server: str) -> Iterator[MakeRole]:
    """Makes a role that may connect to a database and is not its owner, and gives its address."""
    roles: list[tuple[Warehouse, str]] = []

    def make(warehouse: Warehouse, *statements: str, query: str = "") -> Warehouse:
        role = f"role_{uuid.uuid4().hex[:10]}"
        roles.append((warehouse, role))
        said = [statement.format(role=role, database=warehouse.database) for statement in statements]
        execute(warehouse, f"create role {role} login password 'p@ss/word'", *said)
        parts = urlsplit(warehouse.url)
        netloc = f"{role}:{quote('p@ss/word', safe='')}@{parts.hostname}:{parts.port}"
        return Warehouse(urlunsplit(parts._replace(netloc=netloc, query=query)))

    yield make
    for warehouse, role in roles:
        execute(warehouse, f"reassign owned by {role} to current_user", f"drop owned by {role}", f"drop role {role}")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command as the shell would; its exit code, and what it said."""
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path / "home"))

    def call(warehouse: Warehouse, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
        return run_command(monkeypatch, capsys, *arguments)

    return call


OWNS_ALL = (
    "grant create, temporary on database {database} to {role}",
    *(f"alter schema {name} owner to {{role}}" for name in ("cs", "raw")),
    """do $$ declare found record; begin
    for found in select oid::regclass as name, relkind from pg_class
    where relnamespace in ('cs'::regnamespace, 'raw'::regnamespace) and relkind in ('r', 'v', 'p') loop
        execute format('alter table %s owner to {role}', found.name);
    end loop; end $$""",
)
CANNOT_WRITE = {
    "a role that only reads": ("grant pg_read_all_data to {role}",),
    "a role that sees nothing": (),
    "sessions that only read": (*OWNS_ALL, "alter role {role} set default_transaction_read_only = on"),
    "no right on the schemas": ("grant pg_read_all_data, pg_write_all_data to {role}",),
}
COMMANDS = (
    ("up",),
    ("backfill", "--from", "2024-01-01", "--to", "2024-01-08"),
    ("model rescore", "weekly_points", "--from", "2024-01-01", "--to", "2024-01-08"),
    ("load", "{company}"),
    ("data land", "{company}"),
    ("map", "{mappings}"),
    ("play stop", "everything", "--reason", "a test"),
    ("score override", "a1", "--score", "5", "--reason", "so", "--until", "2999-01-01"),
    ("play start", "owner_save", "a1"),
    ("why", "a1"),
    ("queue",),
    ("play progress",),
    ("score late",),
    ("action captured",),
)
MAKES = {"load", "data land", "map", "up", "backfill"}
TELLS_ALL = {"up", "backfill"}


@pytest.fixture
def mappings(company: Path, tmp_path: Path) -> Path:
    """A folder of mappings over landed files."""
    made = tmp_path / "mappings"
    made.mkdir()
    for path in company.glob("*.csv"):
        header = path.read_text().splitlines()[0]
        (made / f"{path.stem}.sql").write_text(f"select {header} from landing.{path.stem}")
    return made


@pytest.mark.parametrize("kept", CANNOT_WRITE)
def test_what_a_role_may_not_is_one_sentence_of_every_command_and_doctor_knows(
    kept: str, warehouse: Warehouse, make_role: MakeRole, run: Run, company: Path, mappings: Path
) -> None:
    restricted = make_role(warehouse, *CANNOT_WRITE[kept])
    for name, *arguments in COMMANDS:
        said_of = [argument.format(company=company, mappings=mappings) for argument in arguments]
        code, said = run(restricted, *name.split(), *said_of)
        assert "Traceback" not in said, name
        assert code == 1 or name not in MAKES, (name, said)
        if code:
            assert len(said.strip().splitlines()) == 1 or name in TELLS_ALL, (name, said)
            assert said.strip().startswith("Error: "), name
    code, said = run(restricted, "doctor")
    assert code == 1
    assert "✗" in said
    assert "Traceback" not in said


def test_a_database_in_which_nothing_may_be_made_is_told_before_anything_is_done(
    empty: Warehouse, make_role: MakeRole, run: Run, company: Path
) -> None:
    restricted = make_role(empty)
    code, said = run(restricted, "load", str(company))
    assert (code, len(said.strip().splitlines())) == (1, 1)
    assert "permission denied for database" in said
    wrong = [tried for tried in try_out(restricted) if tried.state == "wrong"]
    assert {tried.subject for tried in wrong} == {"schemas", "trial"}
    assert "`grant create on database" in wrong[0].words


def test_schemas_that_an_administrator_made_are_enough(
    empty: Warehouse, make_role: MakeRole, company: Path, mappings: Path
) -> None:
    """Without the right to create schemas, and with no right on public."""
    schemas = [f"create schema {name} authorization {{role}}" for name in (*SCHEMAS, "dagster")]
    granted = make_role(empty, *schemas, "grant temporary on database {database} to {role}")
    migrate(granted)
    load_folder(granted, company)
    assert [tried for tried in try_out(granted) if tried.state != "ok"] == []


def test_what_a_role_sets_for_its_sessions_does_not_reach_ours(
    warehouse: Warehouse, make_role: MakeRole, company: Path, mappings: Path
) -> None:
    odd = {
        "statement_timeout": "'50ms'", "lock_timeout": "'50ms'", "idle_in_transaction_session_timeout": "'50ms'",
        "search_path": "''", "quote_all_identifiers": "on", "timezone": "'Asia/Kathmandu'",
        "datestyle": "'German'", "intervalstyle": "'iso_8601'", "standard_conforming_strings": "off",
        "bytea_output": "'escape'", "default_transaction_isolation": "'serializable'", "extra_float_digits": "-15",
    }  # fmt: skip
    sets = [f"alter role {{role}} set {name} = {value}" for name, value in odd.items()]
    role = make_role(warehouse, *OWNS_ALL, *sets)
    report = load_folder(role, company)
    assert [(table.table, table.rows_loaded) for table in report.tables if table.rows_loaded] == [
        ("accounts", 2), ("users", 1), ("subscriptions", 1), ("events", 2),
    ]  # fmt: skip
    from cs_pipeline.warehouse.land import land_folder

    land_folder(role, company)
    assert {mapping.table for mapping in install_mappings(role, mappings)} >= {"accounts", "events"}
    assert sync_mappings(role).rows_rejected == 0
    with role.session() as session, session.cursor() as cursor:
        cursor.execute("select current_setting('timezone') from pg_sleep(0.2)")
        assert cursor.fetchone() == ("UTC",)
    with role.arrow() as connection, connection.cursor() as cursor:
        cursor.execute("select current_setting('statement_timeout') as bound")
        assert cursor.fetch_arrow_table().to_pylist() == [{"bound": "0"}]
    noted = {tried.subject: (tried.state, tried.words) for tried in try_out(role)}
    assert noted["timeouts"][0] == "note"
    assert "statement_timeout = 50" in noted["timeouts"][1]


def test_other_programs_are_told_what_their_sessions_lack(warehouse: Warehouse, make_role: MakeRole) -> None:
    role = make_role(
        warehouse,
        "alter role {role} set statement_timeout = '1s'",
        "alter role {role} set default_transaction_isolation = 'repeatable read'",
        "alter role {role} set search_path = nowhere",
        query="options=-c%20lock_timeout%3D5s",
    )
    told = role.for_other_programs(search_path="public")
    assert told.dbt_environment()["PGOPTIONS"].startswith("-c lock_timeout=5s ")
    connection = psycopg2.connect(told.url)  # as Dagster does, and dbt by PGOPTIONS
    with connection.cursor() as cursor:
        for name, value in {
            "statement_timeout": "0",
            "lock_timeout": "5s",
            "default_transaction_isolation": "read committed",
            "search_path": "public",
        }.items():
            cursor.execute(f"show {name}")
            assert cursor.fetchone() == (value,)
    connection.close()


def test_a_timeout_that_the_address_sets_is_kept_and_named(warehouse: Warehouse, make_role: MakeRole) -> None:
    role = make_role(warehouse, query="options=-c%20statement_timeout%3D200ms%20-c%20lock_timeout%3D20ms")
    with pytest.raises(DatabaseRefusal, match=r"statement timeout.*raise the timeout"), role.session() as session:
        session.cursor().execute("select pg_sleep(5)")
    with pytest.raises(DatabaseRefusal, match="statement timeout"):
        query(role, "select pg_sleep(5)::text as slept")
    assert "the address bounds our sessions" in {tried.subject: tried.words for tried in try_out(role)}["timeouts"]
    with warehouse.session() as holder:
        holder.cursor().execute("select pg_advisory_xact_lock(1)")
        with pytest.raises(DatabaseRefusal, match="lock timeout"), role.session() as session:
            session.cursor().execute("set statement_timeout = 0; select pg_advisory_xact_lock(1)")


def test_dagster_keeps_its_tables_where_the_role_may_create_them(
    warehouse: Warehouse, make_role: MakeRole, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from cs_pipeline.orchestration.instance_storage import PipelineStorage

    role = make_role(warehouse, *OWNS_ALL, "alter role {role} set search_path = ''")
    for who, schema in ((role, "dagster"), (role, "dagster")):
        monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", who.url)
        monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
        assert PipelineStorage.from_config_value(None, {}).run_storage.get_runs() == []
        with role.session() as session, session.cursor() as cursor:
            cursor.execute("select schemaname from pg_tables where tablename in ('runs', 'event_logs', 'jobs')")
            assert cursor.fetchall() == [(schema,)] * 3


@contextmanager
def standing_in(warehouse: Warehouse, statement: str, undo: str) -> Iterator[None]:
    execute(warehouse, statement)
    try:
        yield
    finally:
        execute(warehouse, undo)


def test_a_database_that_only_reads_or_is_absent_or_full_is_named(
    warehouse: Warehouse, make_role: MakeRole, run: Run
) -> None:
    limited = make_role(warehouse, "alter role {role} connection limit 0")
    assert "too many connections" in run(limited, "doctor")[1]
    absent = Warehouse(f"{warehouse.url}_absent")
    with pytest.raises(UserError, match="does not exist"), absent.session():
        pass
    name = warehouse.database
    only_reads = f"alter database {name} set default_transaction_read_only = on"
    undo = f"alter database {name} reset default_transaction_read_only"
    with standing_in(warehouse, only_reads, undo):
        code, said = run(warehouse, "doctor")
        assert code == 1
        assert "default_transaction_read_only is on" in " ".join(said.split())


def test_a_run_in_dagster_ends_in_the_sentence(warehouse: Warehouse, make_role: MakeRole) -> None:
    role = make_role(warehouse, "grant pg_read_all_data to {role}")

    @dg.op
    def writes() -> None:
        with role.session() as session, session.cursor() as cursor:
            cursor.execute("delete from cs.actions")

    @dg.job
    def job() -> None:
        writes()

    result = job.execute_in_process(raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.error
    assert told is not None
    assert told.cause is not None
    assert told.cause.message.startswith("cs_pipeline.warehouse.refusals.DatabaseRefusal: PostgreSQL at ")
    assert "permission denied for table actions. Grant the role" in told.cause.message
    assert told.cause.cause is None  # nothing else is shown in its place


def test_what_a_trigger_of_theirs_raises_is_a_sentence(warehouse: Warehouse, run: Run, company: Path) -> None:
    execute(
        warehouse,
        "create function no_ddl() returns event_trigger language plpgsql as "
        "$$ begin raise exception 'ask the data office first'; end $$",
        "create event trigger no_ddl on ddl_command_start execute function no_ddl()",
    )
    code, said = run(warehouse, "load", str(company))
    assert (code, len(said.strip().splitlines())) == (1, 1)
    assert "ask the data office first. A function or a trigger in the database raised it" in said
