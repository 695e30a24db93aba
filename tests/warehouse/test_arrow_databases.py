"""Connections of one address share what the driver reads of a database; few databases are kept."""

import adbc_driver_postgresql
import pytest

from cs_pipeline.warehouse import arrow_databases
from cs_pipeline.warehouse.connection import Warehouse


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of databases that were opened, in order."""
    found: list[str] = []
    really = adbc_driver_postgresql.connect

    def connect(uri: str):
        found.append(uri)
        return really(uri)

    monkeypatch.setattr(adbc_driver_postgresql, "connect", connect)
    return found


def ask(warehouse: Warehouse) -> object:
    """What a connection answers."""
    with warehouse.arrow() as connection, connection.cursor() as cursor:
        cursor.execute("select array['a', 'b'] as letters")
        return cursor.fetchone()


def addresses(warehouse: Warehouse, count: int) -> list[Warehouse]:
    """The same database by so many addresses."""
    between = "&" if "?" in warehouse.url else "?"
    return [Warehouse(f"{warehouse.url}{between}application_name=n{number}") for number in range(count)]


def test_a_database_is_opened_once_for_all_connections(warehouse: Warehouse, opened: list[str]) -> None:
    (address,) = addresses(warehouse, 1)
    assert [ask(address) for _ in range(3)] == 3 * [(["a", "b"],)]
    assert opened == [address.url]


def test_one_that_has_a_connection_stays_and_the_others_that_were_used_long_ago_go(
    warehouse: Warehouse, opened: list[str]
) -> None:
    held, *others = addresses(warehouse, arrow_databases.MOST_KEPT + 2)
    with held.arrow() as connection, connection.cursor() as cursor:
        for other in others:
            ask(other)
        cursor.execute("select 7 as seven")
        assert cursor.fetchone() == (7,)
    ask(held)
    ask(others[0])
    assert opened == [held.url, *(other.url for other in others), others[0].url]
