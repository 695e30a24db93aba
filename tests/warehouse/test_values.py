"""Which values the contract takes, from files and from mappings alike, and that they arrive as they were written."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_pipeline.warehouse import csv_batches, input_is_valid
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.rejects import count_rejects, read_rejects
from cs_pipeline.warehouse.source_files import SourceFile
from cs_pipeline.warehouse.spellings import BLANKS
from tests.warehouse.conftest import ACCOUNTS, EVENTS, SUBSCRIPTIONS, USERS, Query, WriteCsv

TICKET: dict[str, str] = {
    "ticket_id": "t1",
    "account_id": "a1",
    "created_at": "2024-01-05",
    "priority": "low",
    "csat_scale": "5",
}
ANSWER: dict[str, str] = {
    "response_id": "r1",
    "account_id": "a1",
    "survey": "nps",
    "score": "4",
    "scale_max": "5",
    "responded_at": "2024-01-05",
}
INVOICE: dict[str, str] = {
    "invoice_id": "i1",
    "account_id": "a1",
    "issued_on": "2024-01-05",
    "due_on": "2024-02-05",
    "amount": "5",
}

SOUND: dict[str, dict[str, str]] = {
    "accounts": {name: str(value) for name, value in ACCOUNTS[0].items()},
    "users": {name: str(value) for name, value in USERS[0].items()},
    "subscriptions": {name: str(value) for name, value in SUBSCRIPTIONS[0].items()},
    "events": {name: str(value) for name, value in EVENTS[0].items()} | {"user_id": "u1"},
    "tickets": TICKET,
    "survey_responses": ANSWER,
    "invoices": INVOICE,
}

BAD = [
    ("events", "occurred_at", "03-04-2024", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "04/03/2024", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "20240304", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-02-30", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-02-03 25:00:00", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-02-03 10:00 Europe/Paris", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-02-03 BC", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-03-05 10:20:3a", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-03-3+ 10:20:30", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "2024-03-05 ,0:10:30", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "1706954400", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "now", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "infinity", "is not an ISO 8601 moment"),
    ("events", "occurred_at", "", "is empty"),
    ("events", "event_name", " \t ", "is empty"),
    ("events", "event_id", "é" * 251, "is longer than 500 bytes"),
    ("events", "quantity", "-1", "is below 0"),
    ("events", "quantity", "-1e-9", "is below 0"),
    ("events", "quantity", "NaN", "is not a finite number"),
    ("events", "quantity", "Infinity", "is not a finite number"),
    ("events", "quantity", "1e999", "is not a number"),
    ("events", "quantity", "1,5", "is not a number"),
    ("events", "account_id", "nobody", "is not in accounts"),
    ("subscriptions", "started_on", "2024-01-01T10:00:00", "is not an ISO 8601 date"),
    ("subscriptions", "started_on", "+0/4-03-05", "is not an ISO 8601 date"),
    ("subscriptions", "started_on", "2024-01-1 ", "is not an ISO 8601 date"),
    ("subscriptions", "started_on", "today", "is not an ISO 8601 date"),
    ("subscriptions", "renews_on", "2023-02-29", "is not an ISO 8601 date"),
    ("subscriptions", "seats", "2.5", "is not a whole number"),
    ("subscriptions", "seats", "99999999999", "is beyond 2,147,483,647"),
    ("subscriptions", "seats", "0x1F", "is not a whole number"),
    ("subscriptions", "seats", "-3", "is below 0"),
    ("subscriptions", "billing_months", "0", "is below 1"),
    ("subscriptions", "ended_on", "2023-12-31", "is before its started_on"),
    ("subscriptions", "auto_renew", "maybe", "is not true or false"),
    ("subscriptions", "tier", "Pro", "is not one of starter, pro, enterprise"),
    ("users", "email", "ann at acme.com", "is not an e-mail address"),
    ("users", "email", "ann@acme.com, bob@acme.com", "is not an e-mail address"),
    ("users", "email", "ann@acme.com\nBcc: all@acme.com", "is not an e-mail address"),
    ("users", "timezone", "CET+1", "is not an IANA time zone"),
    ("events", "account_id", "", "is empty, and is not taken from user_id"),
    ("tickets", "account_id", "", "is empty"),
    ("tickets", "priority", "", "is empty"),
    ("invoices", "amount", "-Infinity", "is not a finite number"),
    ("invoices", "amount", "-1e16", "is below -1,000,000,000,000,000"),
    ("subscriptions", "mrr", "0x10", "is not a number"),
    ("subscriptions", "mrr", "0X1p4", "is not a number"),
    ("subscriptions", "mrr", "1.7976931348623157e308", "is above 1,000,000,000,000,000"),
    ("subscriptions", "mrr", "1e-300", "is too close to 0"),
    ("subscriptions", "billing_months", "2147483647", "is above 1,200"),
    ("events", "quantity", "1.7976931348623157e308", "is above 1,000,000,000,000"),
    ("events", "duration_seconds", "1e306", "is above 1,000,000,000,000"),
    ("accounts", "timezone", "Eastern Time (US & Canada)", "is not an IANA time zone"),
    ("accounts", "timezone", "GMT+2", "is not an IANA time zone"),
    ("accounts", "country", "Germany", "is not a country"),
    ("accounts", "employee_count", "2147483647", "is above 1,000,000,000"),
    ("tickets", "csat", "7", "is above its csat_scale"),
    ("tickets", "csat_scale", "1e9", "is above 1,000"),
    ("survey_responses", "score", "9", "is above its scale_max"),
    ("survey_responses", "scale_max", "1e300", "is above 1,000"),
]


GOOD = [
    ("events", "occurred_at", "2024-02-03", "2024-02-03 00:00:00+00"),
    ("events", "occurred_at", "2024-02-03 10:00", "2024-02-03 10:00:00+00"),
    ("events", "occurred_at", "2024-02-03T10:00:00Z", "2024-02-03 10:00:00+00"),
    ("events", "occurred_at", "2024-02-03T10:00:00.123456789+05:30", "2024-02-03 04:30:00.123457+00"),
    ("events", "occurred_at", "2024-02-03 10:00:00 -0800", "2024-02-03 18:00:00+00"),
    ("events", "quantity", "1.5e3", "1500"),
    ("events", "quantity", "", None),
    ("events", "event_name", " padded ", "padded"),
    ("events", "occurred_at", " 2024-02-03 ", "2024-02-03 00:00:00+00"),
    ("events", "account_id", "\t a1", "a1"),
    ("events", "feature", "\u00a0export\u200b\ufeff", "export"),
    ("subscriptions", "mrr", " 100 ", "100"),
    ("subscriptions", "mrr", "-0.0", "0"),
    ("subscriptions", "tier", "pro ", "pro"),
    ("subscriptions", "ended_on", " 2024-05-01", "2024-05-01"),
    ("accounts", "timezone", "Europe/Paris ", "Europe/Paris"),
    ("accounts", "timezone", "europe/paris", "Europe/Paris"),
    ("accounts", "timezone", "Eastern Standard Time", "America/New_York"),
    ("accounts", "timezone", "US/Eastern", "US/Eastern"),
    ("accounts", "country", "de", "DE"),
    ("accounts", "country", "UK", "GB"),
    ("users", "email", " ann@acme.com\n", "ann@acme.com"),
    ("users", "email", "Ann Lee <ANN@Acme.com.>", "ann@acme.com"),
    ("accounts", "owner_email", "mailto:Olga@BÜCHER.example", "olga@xn--bcher-kva.example"),
    ("tickets", "csat", "5", "5"),
    ("subscriptions", "started_on", "2024-01-01 00:00:00", "2024-01-01"),
    ("subscriptions", "seats", "25.0", "25"),
    ("subscriptions", "auto_renew", "YES", "true"),
    ("subscriptions", "auto_renew", "f", "false"),
    ("subscriptions", "auto_renew", "0", "false"),
    ("users", "email", "ann+tag@sub.acme.co.uk", "ann+tag@sub.acme.co.uk"),
    ("users", "timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("invoices", "amount", "-12.50", "-12.5"),
]


Bring = Callable[[dict[str, list[dict[str, str]]]], object]


@pytest.fixture(params=["csv", "parquet", "mapping"])
def bring(request: pytest.FixtureRequest, warehouse: Warehouse, folder: Path) -> Bring:
    """Brings rows of text into the warehouse, one of three ways."""

    def bring_files(tables: dict[str, list[dict[str, str]]]) -> None:
        for table, rows in tables.items():
            arrow = pa.Table.from_pylist(rows)
            if request.param == "csv":
                pyarrow.csv.write_csv(arrow, folder / f"{table}.csv")
            else:
                pq.write_table(arrow, folder / f"{table}.parquet")
        load_folder(warehouse, folder)

    def bring_mapping(tables: dict[str, list[dict[str, str]]]) -> None:
        for table, rows in tables.items():
            values = ",\n".join("(" + ", ".join(map(literal, row.values())) + ")" for row in rows)
            (folder / f"{table}.sql").write_text(f"select * from (values {values}) as rows ({', '.join(rows[0])})")
        install_mappings(warehouse, folder)
        sync_mappings(warehouse)

    return bring_mapping if request.param == "mapping" else bring_files


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def tables_with(cases: list[tuple[str, str, str]]) -> dict[str, list[dict[str, str]]]:
    """A sound row in each table, then one row a case under a key of its own (`case 7`)."""
    tables = {name: [dict(row)] for name, row in SOUND.items()}
    for number, (table, column, value) in enumerate(cases):
        key = next(iter(SOUND[table]))
        tables[table].append({**SOUND[table], key: f"case {number}", column: value})
    for table, rows in tables.items():
        columns = dict.fromkeys(name for row in rows for name in row)
        tables[table] = [{name: row.get(name, "") for name in columns} for row in rows]
    return tables


def test_values_that_break_the_contract_are_put_aside_with_the_reason(warehouse: Warehouse, bring: Bring) -> None:
    bring(tables_with([case[:3] for case in BAD]))
    found = {
        (reject.table, reject.column, reject.row[next(iter(SOUND[reject.table]))]): reject
        for reject in read_rejects(warehouse, limit=999)
    }
    for number, (table, column, value, reason) in enumerate(BAD):
        key = next(iter(SOUND[table]))
        reject = found.pop((table, column, value if column == key else f"case {number}"))
        assert reason in reject.reason, (value, reject)
        assert reject.value == (value.strip() or None)
        contract = read_contract().tables[table]
        assert reject.row_kept == contract.can_lose(contract.column(column))
    assert not found


def test_a_value_that_cannot_be_read_leaves_its_row_and_one_that_the_row_needs_takes_it_along(
    warehouse: Warehouse, bring: Bring, query: Query
) -> None:
    bring(tables_with([case[:3] for case in BAD]))
    for number, (table, column, _, _) in enumerate(BAD):
        contract = read_contract().tables[table]
        key = contract.key[0]
        stored = query(f"select {column} from raw.{table} where {key} = 'case {number}'")
        assert stored == ([(None,)] if contract.can_lose(contract.column(column)) else [])


def test_what_empty_would_turn_into_its_opposite_takes_its_row_along() -> None:
    says = {
        (table.name, column.name)
        for table in read_contract().tables.values()
        for column in table.columns
        if column.empty_says
    }
    assert {("users", "unsubscribed_at"), ("users", "deleted_at"), ("invoices", "paid_at")} < says
    assert ("accounts", "timezone") not in says


def test_every_number_of_the_contract_has_two_bounds() -> None:
    for table in read_contract().tables.values():
        for column in table.columns:
            if column.data_type in ("integer", "double precision"):
                has_upper = column.maximum is not None or column.at_most or column.data_type == "integer"
                assert column.minimum is not None, (table.name, column.name)
                assert has_upper, (table.name, column.name)


def test_every_broken_value_of_a_row_is_told(warehouse: Warehouse, bring: Bring, query: Query) -> None:
    tables = tables_with([])
    tables["accounts"].append(
        {
            **dict.fromkeys(tables["accounts"][0], ""),
            **{"account_id": "a9", "account_name": "Nine", "created_at": "2024-01-01"},
            **{"tier": "gold", "timezone": "here", "employee_count": "many"},
        }
    )
    tables["accounts"] = [{"timezone": "", "employee_count": "", **row} for row in tables["accounts"]]
    bring(tables)
    assert [(count.column, count.rows, count.row_kept) for count in count_rejects(warehouse)] == [
        ("employee_count", 1, True),
        ("tier", 1, True),
        ("timezone", 1, True),
    ]
    assert query("select tier, timezone, employee_count from raw.accounts where account_id = 'a9'") == [(None,) * 3]


def test_sound_values_arrive_as_what_they_mean(warehouse: Warehouse, bring: Bring, query: Query) -> None:
    bring(tables_with([case[:3] for case in GOOD]))
    assert count_rejects(warehouse) == []
    for number, (table, column, value, expected) in enumerate(GOOD):
        key = next(iter(SOUND[table]))
        assert query(f"select {column}::text from raw.{table} where {key} = 'case {number}'") == [(expected,)], value


def test_before_postgresql_16_a_function_of_ours_tells_valid_from_invalid(
    warehouse: Warehouse, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_is_valid, "FIRST_WITH_INPUT_IS_VALID", 10**9)
    bring(tables_with([case[:3] for case in BAD + GOOD]))
    assert sum(count.rows for count in count_rejects(warehouse)) == len(BAD)


def test_typed_columns_of_a_mapping_keep_the_same_rules(warehouse: Warehouse, folder: Path, query: Query) -> None:
    for table, row in SOUND.items():
        if table in ("accounts", "users", "subscriptions"):
            (folder / f"{table}.sql").write_text(
                "select " + ", ".join(f"{literal(value)} as {name}" for name, value in row.items())
            )
    (folder / "events.sql").write_text(
        "select id::bigint as event_id, 'a1'::varchar(9) as account_id, at as occurred_at, 'login' as event_name, "
        "quantity, duration::numeric as duration_seconds from (values "
        "(1, '2024-01-01 10:00'::timestamp, 1.5::double precision, '2.50'), "
        "(2, 'infinity', 1, '1'), (3, '12024-01-01', 1, '1'), (4, '2024-01-01', 'NaN', '1'), "
        "(5, '2024-01-01', '-Infinity', '1'), (6, '2024-01-01', -1, '1'), (7, '2024-01-01', 1, 'NaN'), "
        "(8, '2024-01-01', null, null)) as rows (id, at, quantity, duration)"
    )
    install_mappings(warehouse, folder)
    report = sync_mappings(warehouse)["events"]
    assert (report.rows_loaded, report.rows_rejected, report.values_put_aside) == (3, 5, 1)
    assert query("select event_id, occurred_at, quantity, duration_seconds from raw.events order by 1") == [
        ("1", datetime(2024, 1, 1, 10, tzinfo=UTC), 1.5, 2.5),
        ("7", datetime(2024, 1, 1, tzinfo=UTC), 1, None),
        ("8", datetime(2024, 1, 1, tzinfo=UTC), None, None),
    ]


# Cs: lone surrogates, which no UTF-8 text holds.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20), as_parquet=st.booleans())
def test_any_text_arrives_as_it_was_written(
    warehouse: Warehouse, folder: Path, query: Query, words: list[tuple[str, str]], as_parquet: bool
) -> None:
    rows = [
        {"account_id": f"a{number}", "account_name": f"x{name}", "created_at": "2024-01-01", "industry": industry}
        for number, (name, industry) in enumerate(words)
    ]
    for path in folder.iterdir():
        path.unlink()
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("drop table if exists raw.accounts, raw.users, raw.subscriptions, raw.events")
    if as_parquet:
        pq.write_table(pa.Table.from_pylist(rows), folder / "accounts.parquet")
    else:
        with (folder / "accounts.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    for table in ("users", "subscriptions", "events"):
        pq.write_table(pa.Table.from_pylist([{**SOUND[table], "account_id": "a0"}]), folder / f"{table}.parquet")
    report = load_folder(warehouse, folder)
    assert report["accounts"].rows_loaded == len(rows), report["accounts"].reasons
    stored = query("select account_name, industry from raw.accounts order by substr(account_id, 2)::integer")
    assert stored == [(row["account_name"].strip(BLANKS), row["industry"].strip(BLANKS) or None) for row in rows]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.one_of(
            st.just([]),  # an empty line
            st.lists(st.text('ab",\n é', max_size=8), min_size=2, max_size=4),  # two fields are sound
        ),
        max_size=30,
    ),
    ending=st.sampled_from(["\n", "\r\n"]),
    block_bytes=st.integers(1, 200),
    with_bom=st.booleans(),
)
def test_every_row_is_found_on_the_line_it_begins_on(
    tmp_path: Path, rows: list[list[str]], ending: str, block_bytes: int, with_bom: bool
) -> None:
    path = tmp_path / "any.csv"
    text, line, expected = f"x,y{ending}", 2, {}
    for row in rows:
        written = ",".join('"' + value.replace('"', '""') + '"' for value in row) + ending
        if row:
            expected[line] = row if len(row) == 2 else None
        text += written
        line += written.count("\n")
    path.write_bytes(text.encode("utf-8-sig" if with_bom else "utf-8"))
    found: dict[int, list[str] | None] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_batches, "BLOCK_BYTES", block_bytes)
        for batch in csv_batches.read_csv_batches(SourceFile(path, "any")):
            for number, row in zip(batch.lines.to_pylist(), batch.rows.to_pylist(), strict=True):
                found[number] = [value or "" for value in row.values()]
            found |= {broken.line: None for broken in batch.broken}
    assert found == expected


def test_a_field_of_a_megabyte_is_kept_and_a_longer_one_put_aside_shortened(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    write_csv(
        "accounts.csv",
        [
            {**ACCOUNTS[0], "industry": "x" * 1_000_000},
            {**ACCOUNTS[1], "industry": "y\n" * 600_000},
            {**ACCOUNTS[1], "account_id": "a3", "industry": "z"},
        ],
    )
    load_folder(warehouse, company)
    assert query("select account_id, length(industry) from raw.accounts order by 1") == [("a1", 1_000_000), ("a3", 1)]
    (reject,) = read_rejects(warehouse, "accounts")
    assert (reject.line, reject.column, reject.reason) == (3, "industry", "is longer than 1,000,000 bytes")
    assert len(reject.row["industry"]) < 2_000
