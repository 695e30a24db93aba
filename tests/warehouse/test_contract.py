"""The source contract is read from dbt's sources file, and only there."""

from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SOURCES_FILE, exists, read_contract
from tests.warehouse.conftest import Query


def test_required_tables_are_the_four_of_the_design() -> None:
    required = {name for name, table in read_contract().tables.items() if table.required}
    assert required == {"accounts", "users", "subscriptions", "events"}


def test_every_table_comes_after_those_it_refers_to() -> None:
    order = [table.name for table in read_contract().in_load_order()]
    assert sorted(order) == sorted(read_contract().tables)
    for table in read_contract().tables.values():
        assert all(order.index(parent) < order.index(table.name) for parent in table.parents)


def test_every_table_and_column_is_described() -> None:
    for table in read_contract().tables.values():
        assert table.description.endswith(".")
        assert all(column.description.endswith(".") for column in table.columns), table.name


def test_every_table_can_be_created_with_key_load_id_and_description(warehouse: Warehouse, query: Query) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        for table in read_contract().in_load_order():
            assert not exists(cursor, table)
            assert table.create(cursor)
            table.create_indexes(cursor)
            assert not table.create(cursor)
            assert exists(cursor, table)
    columns = query("select column_name, data_type from information_schema.columns where table_name = 'events'")
    assert ("_load_id", "bigint") in columns
    assert ("occurred_at", "timestamp with time zone") in columns
    assert query("select obj_description('raw.events'::regclass)")[0][0] == read_contract().tables["events"].description
    assert query("select count(*) from pg_index where indisprimary and indrelid = 'raw.contact_roles'::regclass") == [
        (1,)
    ]


def test_a_column_that_the_contract_gained_is_added_to_a_table_that_exists(warehouse: Warehouse, query: Query) -> None:
    events = read_contract().tables["events"]
    with warehouse.session() as session, session.cursor() as cursor:
        events.create(cursor)
        cursor.execute("alter table raw.events drop column page")
        events.create(cursor)
    assert query("select count(*) from information_schema.columns where table_name = 'events' and column_name = 'page'")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("data_type: integer", "data_type: money", "type 'money' is not one of"),
        ("format: email", "format: phone", "format 'phone'"),
        ("references: accounts", "references: tickets", "tickets is not a table with the key account_id"),
        ("- name: account_name", "- name: Account Name", "'Account Name' is no plain lower-case name"),
    ],
)
def test_a_contract_that_cannot_be_kept_is_refused(tmp_path: Path, before: str, after: str, words: str) -> None:
    changed = tmp_path / "_sources.yml"
    changed.write_text(SOURCES_FILE.read_text().replace(before, after, 1))
    with pytest.raises(UserError, match=words):
        read_contract(changed)


def test_a_contract_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="source contract is not at"):
        read_contract(tmp_path / "absent.yml")
