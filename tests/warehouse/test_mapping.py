"""A folder of selects brings a team's own tables into the contract."""

import re
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.rejects import count_rejects, read_rejects
from tests.warehouse.conftest import Query

ACCOUNTS = """
-- our customers; a comment may hold a ; and a 'quote
select
    id::text as account_id,
    name as account_name,
    since as created_at,
    'a;b' as plan
from shop.customers;
"""
USERS = "select 'u1' as user_id, '1' as account_id, date '2024-01-01' as created_at"
SUBSCRIPTIONS = "select 's1' as subscription_id, '1' as account_id, 10 as mrr, date '2024-01-01' as started_on"
EVENTS = (
    "with n as (select generate_series(1, 3) as i) "
    "select i::text as event_id, i::text as account_id, timestamp '2024-02-01 10:00' as occurred_at, "
    "'login' as event_name from n"
)


@pytest.fixture
def mappings(warehouse: Warehouse, folder: Path) -> Path:
    """A folder of mappings over a table of a shop with two customers."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "create schema shop; create table shop.customers (id integer, name text, since timestamp);"
            "insert into shop.customers values (1, 'Acme', '2024-01-01 09:00'), (2, 'Bolt', '2024-01-02')"
        )
    for name, sql in {"accounts": ACCOUNTS, "users": USERS, "subscriptions": SUBSCRIPTIONS, "events": EVENTS}.items():
        (folder / f"{name}.sql").write_text(sql)
    return folder


def test_mappings_are_installed_and_their_rows_pulled(warehouse: Warehouse, mappings: Path, query: Query) -> None:
    installed = {mapping.table: mapping for mapping in install_mappings(warehouse, mappings)}
    assert installed["accounts"].columns == ("account_id", "account_name", "created_at", "plan")
    assert "tier" in installed["accounts"].left_out
    report = sync_mappings(warehouse)
    assert [(t.table, t.rows_loaded, t.rows_rejected) for t in report.tables] == [
        ("accounts", 2, 0),
        ("users", 1, 0),
        ("subscriptions", 1, 0),
        ("events", 2, 1),
    ]
    assert query("select account_id, account_name, plan, created_at::text from raw.accounts order by 1") == [
        ("1", "Acme", "a;b", "2024-01-01 09:00:00+00"),
        ("2", "Bolt", "a;b", "2024-01-02 00:00:00+00"),
    ]
    assert query("select to_regclass('raw.tickets')") == [(None,)]


def test_rows_that_break_the_contract_are_counted_under_the_mapping(warehouse: Warehouse, mappings: Path) -> None:
    install_mappings(warehouse, mappings)
    sync_mappings(warehouse)
    sync_mappings(warehouse)
    (reject,) = read_rejects(warehouse)
    assert (reject.table, reject.origin, reject.line) == ("events", "mapping events", None)
    assert (reject.column, reject.reason, reject.row["event_id"]) == ("account_id", "is not in accounts", "3")


def test_pulling_twice_changes_nothing_and_a_changed_source_row_only_itself(
    warehouse: Warehouse, mappings: Path, query: Query
) -> None:
    install_mappings(warehouse, mappings)
    sync_mappings(warehouse)
    report = sync_mappings(warehouse)
    assert (report.rows_loaded, report.rows_unchanged) == (0, 6)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("update shop.customers set name = 'Bolt Ltd' where id = 2")
    assert sync_mappings(warehouse)["accounts"].rows_loaded == 1
    assert query("select account_name from raw.accounts where account_id = '2'") == [("Bolt Ltd",)]


def test_rows_that_a_mapping_brings_no_more_are_counted_and_go_when_somebody_says_so(
    warehouse: Warehouse, mappings: Path, query: Query
) -> None:
    install_mappings(warehouse, mappings)
    assert [each.rows_vanished for each in sync_mappings(warehouse).tables] == [0, 0, 0, 0]
    with warehouse.session() as session, session.cursor() as cursor:  # as `load` brings it
        cursor.execute(
            "with file as (insert into cs.loads (source_table, origin) values ('users', '/exports/users.csv') "
            "returning load_id) insert into raw.users (user_id, account_id, created_at, _load_id) "
            "select 'of a file', '1', '2024-01-01', load_id from file"
        )
    (mappings / "users.sql").write_text(USERS.replace("'u1'", "'app:u1'"))  # the same person under another key
    install_mappings(warehouse, mappings)
    report = sync_mappings(warehouse)
    assert {each.table: each.rows_vanished for each in report.tables if each.rows_vanished} == {"users": 1}
    assert query("select user_id from raw.users order by 1") == [("app:u1",), ("of a file",), ("u1",)]
    with pytest.raises(UserError, match="No mapping is installed for orders; there are some for accounts, "):
        sync_mappings(warehouse, remove_vanished_of=["orders"])
    report = sync_mappings(warehouse, remove_vanished_of=["users"])
    assert (report["users"].rows_removed, report["users"].rows_vanished) == (1, 0)
    assert query("select user_id from raw.users order by 1") == [("app:u1",), ("of a file",)]


def test_which_row_of_a_repeated_key_stays_does_not_depend_on_chance(
    warehouse: Warehouse, mappings: Path, query: Query
) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("insert into shop.customers values (1, 'Zeta', '2024-01-01'), (1, 'Aard', '2024-01-01')")
    install_mappings(warehouse, mappings)
    for order in ("name", "name desc", "since"):
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(f"create table shop.sorted as select * from shop.customers order by {order}")
            cursor.execute("delete from shop.customers; insert into shop.customers select * from shop.sorted")
            cursor.execute("drop table shop.sorted")
        sync_mappings(warehouse)
        assert query("select account_name from raw.accounts where account_id = '1'") == [("Aard",)]
    assert [(c.column, c.reason, c.rows) for c in count_rejects(warehouse, "accounts")] == [
        ("account_id", "repeats the key of an earlier row", 2)
    ]


def test_a_mapping_that_is_taken_away_is_uninstalled(warehouse: Warehouse, mappings: Path, query: Query) -> None:
    (mappings / "features.sql").write_text("select 'f' as feature, true as is_core")
    install_mappings(warehouse, mappings)
    (mappings / "features.sql").unlink()
    install_mappings(warehouse, mappings)
    assert query("select viewname from pg_views where schemaname = 'mapping' order by 1") == [
        ("accounts",),
        ("events",),
        ("subscriptions",),
        ("users",),
    ]


def test_a_required_table_may_be_mapped_to_no_rows(warehouse: Warehouse, mappings: Path, query: Query) -> None:
    (mappings / "users.sql").write_text(USERS + " where false")
    install_mappings(warehouse, mappings)
    assert sync_mappings(warehouse)["users"].rows_read == 0
    assert query("select count(*) from raw.users") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 'f' as feature", r"features\.sql: features needs the column is_core; it is missing"),
        (
            "select 'f' as feature, true as is_cor",
            r"column 'is_cor' is not one of features's \(did you mean is_core\?\)",
        ),
        ("select 'f' as feature, true as is_core, 1", r"a column has no name; give it one with `as`"),
        (
            "select 'f' as feature, now() as is_core",
            r"'is_core' is timestamp with time zone, which cannot become boolean",
        ),
        ("select 'f' as feature, true as is_core, now() as released_on", r"cannot become date; cast it in the mapping"),
        ("select 'f' as feature,\n  true as is_core\nfrom nowhere", r"line 3: relation \"nowhere\" does not exist"),
        ("-- é\nselect 'é' as feature,\n  tru as is_core", r"line 3: column \"tru\" does not exist"),
        ("select 'f' as feature,\n  tru as is_core" + "\n" * 99, r"line 2: column \"tru\" does not exist"),
        ("select 'f' as feature, 'f' as feature, true as is_core", r"column \"feature\" specified more than once"),
        ("selec 1", r"line 1: expected a select, found 'selec'"),
        ("select 'f' as feature true", r"line 1: syntax error"),
        ("\ndelete from raw.raw_rejects", r"line 2: expected a select, found 'delete'"),
        ("select 1;\n\ndrop table cs.loads", r"line 3: a second statement begins"),
        ("select E'\\'; --' as feature; drop table cs.loads", r"line 1: a second statement begins"),
        ("select $x$;$x$ as feature, true as is_core;;", r"a second statement begins"),
        ("with d as (delete from cs.loads returning 1) select * from d", r"must not contain data-modifying statements"),
        ("select 'f' as feature, true as is_core into raw.x", r"must not contain SELECT INTO"),
        ("-- nothing\n", r"features\.sql is empty: expected one select"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_with_file_and_line_and_none_is_installed(
    warehouse: Warehouse, mappings: Path, query: Query, sql: str, words: str
) -> None:
    (mappings / "features.sql").write_text(sql)
    with pytest.raises(UserError, match=words):
        install_mappings(warehouse, mappings)
    assert query("select count(*) from pg_views where schemaname = 'mapping'") == [(0,)]
    assert query("select to_regclass('cs.loads') is not null") == [(True,)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("event.sql", r"'event' is not a table of the source contract \(did you mean events\?\)"),
        (None, r"lacks users\.sql: the pipeline cannot run without it"),
    ],
)
def test_a_folder_that_does_not_fit_is_named(
    warehouse: Warehouse, mappings: Path, name: str | None, words: str
) -> None:
    if name:
        (mappings / name).write_text("select 1")
    else:
        (mappings / "users.sql").unlink()
    with pytest.raises(UserError, match=words):
        install_mappings(warehouse, mappings)


def test_pulling_before_installing_says_what_to_run(warehouse: Warehouse) -> None:
    with pytest.raises(UserError, match=r"No mapping is installed for accounts, .*run `cs-pipeline map FOLDER`"):
        sync_mappings(warehouse)


def test_a_value_that_stops_the_select_is_said_in_words_and_leaves_the_table(
    warehouse: Warehouse, mappings: Path, query: Query
) -> None:
    install_mappings(warehouse, mappings)
    sync_mappings(warehouse)
    (mappings / "events.sql").write_text(EVENTS.replace("i::text as account_id", "(1 / (i - 2))::text as account_id"))
    install_mappings(warehouse, mappings)
    with pytest.raises(UserError, match=r"mapping events cannot be read: division by zero\. Change events\.sql"):
        sync_mappings(warehouse)
    assert query("select count(*) from raw.events") == [(2,)]


SIDE_EFFECTS = (
    "pg_read_file('/etc/passwd')",
    "set_config('role', 'none', true)",
    "query_to_xml('select 1', true, true, '')::text",
    "pg_sleep(0)::text",
    "pg_notify('a', 'b')::text",
    "pg_advisory_lock(1)::text",
    "(select string_agg(name, ',') from pg_ls_dir('.') as name)",
    "(select lo_import('/etc/passwd')::text)",
    "case when true then pg_terminate_backend(0)::text end",
)


@pytest.mark.parametrize("effect", SIDE_EFFECTS)
def test_a_mapping_that_may_do_more_than_read_is_not_installed(
    warehouse: Warehouse, mappings: Path, query: Query, effect: str
) -> None:
    (mappings / "features.sql").write_text(f"select {effect} as feature, true as is_core")
    with pytest.raises(UserError, match=r"features.sql: a mapping only reads, and \w+\(\) may do more"):
        install_mappings(warehouse, mappings)
    assert query("select count(*) from pg_views where schemaname = 'mapping'") == [(0,)]


def test_what_a_mapping_calls_can_change_nothing_and_reads_no_file(
    warehouse: Warehouse, mappings: Path, query: Query
) -> None:
    """Through functions that somebody made, whose bodies nobody looks into."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "create sequence shop.counted;"
            "create function shop.who() returns text language sql as 'select current_user';"
            "create function shop.counts() returns text language sql as 'select nextval(''shop.counted'')::text';"
            "create function shop.writes() returns text language plpgsql as "
            "'begin insert into shop.customers values (3); return 1; end';"
            "create function shop.files() returns text language sql as 'select pg_read_file(''/etc/passwd'')';"
        )
    features = mappings / "features.sql"
    for function, refusal in (("counts", "permission denied"), ("writes", "read-only"), ("files", "permission denied")):
        features.write_text(f"select shop.{function}() as feature, true as is_core")
        install_mappings(warehouse, mappings)
        with pytest.raises(UserError, match=f"mapping features cannot be read: .*{refusal}"):
            sync_mappings(warehouse)
    features.write_text("select shop.who() as feature, true as is_core")
    install_mappings(warehouse, mappings)
    sync_mappings(warehouse)
    assert query("select feature from raw.features") == [("pg_read_all_data",)]
    assert query("select count(*), (select is_called from shop.counted) from shop.customers") == [(2, False)]


def test_many_rows_and_an_error_in_the_midst_of_them(warehouse: Warehouse, mappings: Path, query: Query) -> None:
    many = EVENTS.replace("generate_series(1, 3)", "generate_series(1, 300000)").replace("i::text as account_id", "{}")
    events = mappings / "events.sql"
    events.write_text(many.format("'1' as account_id"))
    install_mappings(warehouse, mappings)
    assert sync_mappings(warehouse)["events"].rows_loaded == 300_000
    events.write_text(many.format("(1 / (200000 - i))::text as account_id"))
    install_mappings(warehouse, mappings)
    with pytest.raises(UserError, match="mapping events cannot be read: division by zero"):
        sync_mappings(warehouse)
    assert query("select count(*), min(account_id) from raw.events") == [(300_000, "1")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("03.06.2024", "2024-06-03"),
        ("3.6.2024", "2024-06-03"),
        ("13-12-2024", "2024-12-13"),
        (" 1.10.2024 ", "2024-10-01"),
        ("2024-06-03", "2024-06-03"),
        ("soon", "soon"),
    ],
)
def test_the_pattern_for_german_dates_in_the_documentation_holds(query: Query, written: str, read: str) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "bring-your-data.md").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"`(regexp_replace\(regexp_replace\(d, .*?)`", documented)
    assert query(f"select {pattern} from (values ('{written}')) as rows (d)") == [(read,)]
