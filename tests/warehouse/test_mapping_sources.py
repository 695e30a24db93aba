"""Several selects of a canonical table: united, or led by one; accounts found by address and domain; arrivals."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.rejects import count_rejects
from tests.warehouse.conftest import Query

Write = Callable[[str, str], None]
NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)


def rows(columns: str, *values: str) -> str:
    """A select of constant rows."""
    return f"select * from (values {', '.join(f'({each})' for each in values)}) as given ({columns})"


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes a select into the mapping folder."""

    def put(name: str, sql: str) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(sql, encoding="utf-8")

    return put


@pytest.fixture
def sources(folder: Path, write: Write) -> Path:
    """Two accounts whose product database knows their people."""
    accounts = ("'a', 'Acme', timestamp '2024-01-01', null", "'b', 'Bolt', timestamp '2024-01-02', 'b@us.example'")
    write("accounts.sql", rows("account_id, account_name, created_at, owner_email", *accounts))
    people = (
        "'u1', 'a', 'Ann@acme.example', timestamp '2024-01-01'",
        "'u2', 'a', 'ann.private@gmail.com', timestamp '2024-01-01'",
        "'u3', 'b', 'bob@bolt.example', timestamp '2024-01-01'",
        "'u4', 'a', 'x@both.example', timestamp '2024-01-01'",
        "'u5', 'b', 'y@both.example', timestamp '2024-01-01'",
    )
    write("users.sql", rows("user_id, account_id, email, created_at", *people))
    write("subscriptions.sql", rows("subscription_id, account_id, mrr, started_on", "'s', 'a', 10, date '2024-01-01'"))
    happened = "'e', 'a', 'u1', timestamp '2024-02-01', 'login'"
    write("events.sql", rows("event_id, account_id, user_id, occurred_at, event_name", happened))
    return folder


def bring_in(warehouse: Warehouse, folder: Path, stamp: datetime | None = None) -> None:
    install_mappings(warehouse, folder)
    sync_mappings(warehouse, stamp=stamp)


TICKETS = "ticket_id, account_id, user_id, created_at, priority, _email, _domain"


def test_rows_without_an_account_are_found_by_address_then_by_domain_and_else_put_aside_with_the_reason(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    write(
        "tickets/desk.sql",
        rows(
            TICKETS,
            "'t1', 'b', null, timestamp '2024-03-01', 'low', 'ann@acme.example', null",  # its own id counts
            "'t2', null, null, timestamp '2024-03-01', 'low', 'ANN@acme.example', null",
            "'t3', null, null, timestamp '2024-03-01', 'low', 'new@bolt.example', null",
            "'t4', null, null, timestamp '2024-03-01', 'low', null, 'https://www.Bolt.example/about'",
            "'t5', '', null, timestamp '2024-03-01', 'low', 'ann.private@gmail.com', null",  # a user we know
            "'t6', null, null, timestamp '2024-03-01', 'low', 'somebody@gmail.com', null",
            "'t7', null, null, timestamp '2024-03-01', 'low', 'z@both.example', null",
            "'t8', null, null, timestamp '2024-03-01', 'low', 'z@nowhere.example', null",
            "'t9', null, null, timestamp '2024-03-01', 'low', null, null",
        ),
    )
    bring_in(warehouse, sources)
    assert query("select ticket_id, account_id, user_id from raw.tickets order by 1") == [
        ("t1", "b", None), ("t2", "a", "u1"), ("t3", "b", None), ("t4", "b", None), ("t5", "a", "u2"),
    ]  # fmt: skip
    reasons = {count.reason.partition(", ")[2]: count.rows for count in count_rejects(warehouse, "tickets")}
    assert reasons == {
        "and its address is of a provider of free mail, whose domain says nothing": 1,
        "and more than one account has the address, or the domain, it is found by": 1,
        "and no account has the address, or the domain, it is found by": 1,
        "and there is no address or domain to find it by": 1,
    }
    (origin,) = {count.origin for count in count_rejects(warehouse, "tickets")}
    assert origin == "mapping tickets/desk"
    bring_in(warehouse, sources)  # again: the same, and no reject twice
    assert query("select count(*) from raw.raw_rejects") == [(4,)]


def test_people_of_the_leading_source_without_an_account_find_none_for_others(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    people = "user_id, account_id, email, created_at, _email"
    nobody = "'d1', null, 'x@lost.example', timestamp '2024-01-01', 'x@lost.example'"
    found = "'d2', null, 'y@bolt.example', timestamp '2024-01-01', 'y@bolt.example'"
    known = "'d3', 'b', 'z@bolt.example', timestamp '2024-01-01', 'z@bolt.example'"
    write("users.sql", rows(people, nobody, nobody.replace("d1", "d0"), found, known))
    bring_in(warehouse, sources)
    assert query("select user_id, account_id from raw.users order by 1") == [("d2", "b"), ("d3", "b")]
    assert [count.rows for count in count_rejects(warehouse, "users")] == [2]


def test_rows_of_several_sources_are_united_whatever_columns_each_has(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    columns = "ticket_id, account_id, created_at, priority"
    write("tickets/chat.sql", rows(f"{columns}, subject", "'chat:1', 'a', '2024-03-01', 'low', 'Hello'"))
    write("tickets/desk.sql", rows(f"{columns}, csat", "'desk:1', 'b', timestamp '2024-03-02', 'high', 1.0"))
    bring_in(warehouse, sources)
    assert query("select ticket_id, created_at::date::text, subject, csat from raw.tickets order by 1") == [
        ("chat:1", "2024-03-01", "Hello", None),
        ("desk:1", "2024-03-02", None, 1.0),
    ]
    assert query("select origin, rows_read from cs.loads where source_table = 'tickets' order by 1") == [
        ("mapping tickets/chat", 1),
        ("mapping tickets/desk", 1),
    ]


def test_the_leading_source_says_which_accounts_and_users_there_are_and_others_fill_what_is_empty(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    write(
        "accounts/crm.sql",
        rows(
            "account_id, account_name, owner_email, industry, _domain",
            "'a', 'ACME Inc', 'a@us.example', 'Toys', null",
            "null, 'Bolt', 'other@us.example', 'Nails', 'bolt.example'",
            "'z', 'Prospect', null, null, null",
        ),
    )
    write(
        "users/crm.sql",
        rows(
            "user_id, account_id, email, full_name, unsubscribed_at, created_at, _email",
            "'crm:1', null, 'ann@ACME.example', 'Ann', timestamp '2024-05-01', timestamp '2023-01-01', "
            "'ann@acme.example'",
            "'crm:2', 'b', 'nobody@bolt.example', 'Nobody', null, timestamp '2023-01-01', 'nobody@bolt.example'",
        ),
    )
    bring_in(warehouse, sources)
    assert query("select account_id, account_name, owner_email, industry from raw.accounts order by 1") == [
        ("a", "Acme", "a@us.example", "Toys"),
        ("b", "Bolt", "b@us.example", "Nails"),
    ]
    assert query(
        "select full_name, unsubscribed_at::date::text, created_at::date::text from raw.users where user_id = 'u1'"
    ) == [("Ann", "2024-05-01", "2024-01-01")]
    assert query("select count(*) from raw.users") == [(5,)]
    assert {(count.table, count.column, count.reason) for count in count_rejects(warehouse)} == {
        ("accounts", "account_id", "is none of the accounts of accounts, which leads"),
        ("users", "user_id", "is none of the users of users, which leads"),
    }


def test_what_an_empty_value_says_is_said_by_the_leading_source_but_an_opt_out_counts_wherever_it_stands(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    left = "'a', timestamp '2024-06-01'", "'b', timestamp '2024-06-01'"
    write("accounts/billing.sql", rows("account_id, churned_at", *left))
    gone = "'u1', 'a', timestamp '2024-06-01', timestamp '2024-06-01'"
    write("users/crm.sql", rows("user_id, account_id, deleted_at, unsubscribed_at", gone))
    nothing = "null::timestamptz as deleted_at, null::timestamptz as unsubscribed_at"
    users, accounts = sources / "users.sql", sources / "accounts.sql"
    users.write_text(f"select *, {nothing} from ({users.read_text()}) as given", encoding="utf-8")
    bring_in(warehouse, sources)
    assert query("select distinct churned_at::date::text from raw.accounts") == [("2024-06-01",)]  # nobody else says it
    said = "select deleted_at, unsubscribed_at::date::text from raw.users where user_id = 'u1'"
    assert query(said) == [(None, "2024-06-01")]
    stays = f"select *, null::timestamptz as churned_at from ({accounts.read_text()}) as given"
    accounts.write_text(stays, encoding="utf-8")
    bring_in(warehouse, sources)
    assert query("select distinct churned_at from raw.accounts") == [(None,)]


def test_two_sources_of_accounts_of_which_none_leads_are_refused_and_connectors_yaml_decides(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    (sources / "accounts.sql").unlink()
    for name in ("crm", "shop"):
        said = f"'a', '{name}', timestamp '2024-01-01'", f"'b', '{name}', timestamp '2024-01-01'"
        write(f"accounts/{name}.sql", rows("account_id, account_name, created_at", *said))
    with pytest.raises(UserError, match=r"accounts/crm\.sql, accounts/shop\.sql describe the same accounts.*leads: "):
        install_mappings(warehouse, sources)
    write("connectors.yaml", "connectors:\n  shop:\n    leads: [accounts]\n")
    bring_in(warehouse, sources)
    assert query("select distinct account_name from raw.accounts") == [("shop",)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("connectors:\n  shop:\n    leed: [accounts]\n", r"connectors.yaml:3: connectors.shop.leed: .*did you mean"),
        ("connectors:\n  shop: {leads: [users]}\n  crm: {leads: [users]}\n", r":3: .*shop leads users already"),
        ("connectors:\n  Shop: {}\n", r":2: connectors.Shop: a source is named in lower-case"),
        ("connectors:\n  shop: {currencies: {EUR: 1}}\n", r":2: .*currencies: expected codes"),
    ],
)
def test_what_is_wrong_in_connectors_yaml_is_said_with_its_line(
    warehouse: Warehouse, sources: Path, write: Write, text: str, words: str
) -> None:
    write("connectors.yaml", text)
    with pytest.raises(UserError, match=words):
        install_mappings(warehouse, sources)


def test_arrivals_are_stamped_on_rows_that_come_after_the_first_load_and_keep_what_they_have(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    columns = "ticket_id, account_id, created_at, priority"
    first = "'t1', 'a', timestamp '2024-03-01', 'low'"
    write("tickets/desk.sql", rows(columns, first))
    write("features.sql", "select 'x' as feature, true as is_core")  # of no account: a Citus has copies of it
    bring_in(warehouse, sources, stamp=NOW)
    assert query("select count(_loaded_at) from raw.tickets") == [(0,)]
    write("features.sql", "select feature, true as is_core from (values ('x'), ('y')) as features (feature)")
    write("tickets/desk.sql", rows(columns, first, "'t2', 'a', timestamp '2024-03-02', 'low'"))
    write("tickets/chat.sql", rows(columns, "'c1', 'a', timestamp '2024-01-02', 'low'"))  # a source that is new
    bring_in(warehouse, sources, stamp=NOW)
    stamps = query("select ticket_id, _loaded_at from raw.tickets order by 1")
    assert stamps == [("c1", None), ("t1", None), ("t2", NOW)]
    assert query("select feature, _loaded_at from raw.features order by 1") == [("x", None), ("y", NOW)]
    bring_in(warehouse, sources, stamp=NOW.replace(month=4))
    bring_in(warehouse, sources)
    assert query("select ticket_id, _loaded_at from raw.tickets order by 1") == stamps


def test_a_helper_column_is_text_and_stands_where_there_are_accounts(
    warehouse: Warehouse, sources: Path, write: Write
) -> None:
    write("features.sql", "select 'x' as feature, true as is_core, 'a@b.example' as _email")
    with pytest.raises(UserError, match=r"column '_email' is not one of features's"):
        install_mappings(warehouse, sources)
    write("features.sql", "select 'x' as feature, true as is_core")
    write("tickets/desk.sql", rows(TICKETS, "'t', 'a', null, timestamp '2024-03-01', 'low', 1, null"))
    with pytest.raises(UserError, match=r"tickets/desk.sql: column '_email' is integer; it must be text"):
        install_mappings(warehouse, sources)


NEWS = "select id as event_id, account as account_id, at as occurred_at, 'login' as event_name, seen as _loaded_at"


@pytest.fixture
def stream(warehouse: Warehouse, sources: Path, write: Write) -> Path:
    """Events that say when they arrived, of which nine old ones are loaded, and one of an account that is not there."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "create schema app; create table app.events (id text, account text, at timestamptz, seen timestamptz); "
            "insert into app.events select n::text, case n when 10 then 'new' else 'a' end, "
            "timestamptz '2025-01-01' + n * interval '1 day', timestamptz '2025-01-01' + n * interval '1 day' "
            "from generate_series(1, 10) as n"
        )
    write("events.sql", f"{NEWS} from app.events where seen >= mapping.since()")
    bring_in(warehouse, sources)
    return sources


def add(warehouse: Warehouse, *rows: str) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"insert into app.events values {', '.join(rows)}")


def test_only_what_is_new_is_read_by_the_moment_that_a_mapping_states_or_is_found(
    warehouse: Warehouse, stream: Path, write: Write, query: Query
) -> None:
    add(warehouse, "('11', 'a', '2025-01-11', '2025-01-11')", "('old', 'a', '2025-01-02', '2025-01-02')")
    report = sync_mappings(warehouse)["events"]
    assert (report.rows_read, report.rows_loaded, f"{report.since:%m-%d}") == (
        4,
        1,
        "01-09",
    )  # two days before the newest
    assert query("select count(*) from raw.events") == [(10,)]
    assert count_rejects(warehouse, "events")[0].rows == 1  # of the row that was read again
    whole = sync_mappings(warehouse, whole=True)["events"]
    assert (whole.rows_read, whole.rows_loaded, whole.since) == (12, 1, None)
    write("events.sql", f"{NEWS}, 'export' as feature from app.events")  # another select: everything again
    install_mappings(warehouse, stream)
    changed = sync_mappings(warehouse)["events"]
    assert (changed.rows_read, changed.since) == (12, None)
    assert sync_mappings(warehouse)["events"].rows_read == 4  # without a place for the moment it is asked of the result
    assert changed.rows_vanished == 0
    assert sync_mappings(warehouse, remove_vanished_of=["events"])["events"].since is None  # what vanished needs all


def test_the_days_of_rows_that_are_removed_because_no_mapping_brings_them_are_summed_up_again(
    warehouse: Warehouse, stream: Path, query: Query
) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("delete from app.events where id in ('3', '4')")
    built = query("select max(_load_id) from raw.events")[0][0]
    assert sync_mappings(warehouse, whole=True)["events"].rows_vanished == 2
    report = sync_mappings(warehouse, remove_vanished_of=["events"])["events"]
    assert (report.rows_removed, report.rows_vanished) == (2, 0)
    assert query("select count(*) from raw.events") == [(7,)]
    left = query(
        "select distinct day::text, rows from cs.touched_days where source_table = 'events' "
        f"and load_id > {built} order by 1"
    )
    assert left == [("2025-01-04", 1), ("2025-01-05", 1)]


def test_a_row_that_says_it_came_in_the_future_does_not_keep_what_comes_before_from_being_read(
    warehouse: Warehouse, stream: Path, query: Query
) -> None:
    add(warehouse, "('wrong clock', 'a', '2025-01-11', '2099-01-01')")
    sync_mappings(warehouse)
    add(warehouse, "('now', 'a', now(), now())")
    assert sync_mappings(warehouse)["events"].rows_loaded == 1
    assert query("select count(*) from raw.events where event_id = 'now'") == [(1,)]


def test_what_was_put_aside_stays_so_until_it_is_read_again_and_is_when_its_account_has_come(
    warehouse: Warehouse, stream: Path, write: Write, query: Query
) -> None:
    add(warehouse, "('20', 'nobody', '2025-01-20', '2025-01-20')")
    sync_mappings(warehouse)
    add(warehouse, "('30', 'a', '2025-01-30', '2025-01-30')")
    report = sync_mappings(warehouse)["events"]
    assert report.rows_read == 2
    assert query("select row_data ->> 'event_id' from raw.raw_rejects where source_table = 'events' order by 1") == [
        ("10",),
        ("20",),
    ]
    come = ("'a', 'Acme', timestamp '2024-01-01'", "'b', 'Bolt', timestamp '2024-01-02'", "'new', 'New', '2025-01-01'")
    write("accounts.sql", rows("account_id, account_name, created_at", *come))
    install_mappings(warehouse, stream)
    sync_mappings(warehouse)
    assert query("select account_id from raw.events where event_id = '10'") == [("new",)]
    assert query("select row_data ->> 'event_id' from raw.raw_rejects where source_table = 'events'") == [("20",)]


def test_a_table_whose_rows_change_is_read_by_what_its_mapping_states_and_by_no_arrival(
    warehouse: Warehouse, sources: Path, write: Write, query: Query
) -> None:
    columns = "ticket_id, account_id, created_at, priority, _loaded_at"
    ticket = "'t', 'a', timestamp '2024-01-01', 'low', timestamp '2024-01-01'"
    write("tickets.sql", rows(columns, ticket))
    bring_in(warehouse, sources)
    assert sync_mappings(warehouse)["tickets"].since is None
    write("tickets.sql", f"select *, timestamp '2025-01-05' as _changed_at from ({rows(columns, ticket)}) as given")
    bring_in(warehouse, sources)
    assert f"{sync_mappings(warehouse)['tickets'].since:%m-%d}" == "01-03"
    assert query("select count(*) from raw.tickets") == [(1,)]
    write("tickets.sql", f"select *, 'soon' as _changed_at from ({rows(columns, ticket)}) as given")
    with pytest.raises(UserError, match=r"tickets.sql: column '_changed_at' is text; it must be a timestamp"):
        install_mappings(warehouse, sources)
