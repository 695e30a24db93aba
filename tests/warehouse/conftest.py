"""Folders of canonical files, and a look into the warehouse."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load_report import LoadReport
from tests.builders.example_history import BroughtIn

Rows = Sequence[Mapping[str, object]]
WriteCsv = Callable[[str, Rows], Path]
Query = Callable[[str], list[tuple[object, ...]]]

ACCOUNTS: Rows = (
    {"account_id": "a1", "account_name": "Acme", "created_at": "2024-01-01T09:00:00Z", "tier": "pro"},
    {"account_id": "a2", "account_name": "Bolt", "created_at": "2024-01-02", "tier": ""},
)
USERS: Rows = ({"user_id": "u1", "account_id": "a1", "email": "ann@acme.com", "created_at": "2024-01-01"},)
SUBSCRIPTIONS: Rows = ({"subscription_id": "s1", "account_id": "a1", "mrr": "100.5", "started_on": "2024-01-01"},)
EVENTS: Rows = (
    {"event_id": "e1", "account_id": "a1", "occurred_at": "2024-02-01T10:00:00Z", "event_name": "login"},
    {"event_id": "e2", "account_id": "a2", "occurred_at": "2024-02-02T10:00:00+02:00", "event_name": "click"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for files."""
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def write_csv(folder: Path) -> WriteCsv:
    """Writes rows as a CSV file of the folder; the first row's keys are the header."""

    def write(name: str, rows: Rows) -> Path:
        path = folder / name
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def company(folder: Path, write_csv: WriteCsv) -> Path:
    """A folder with the four required tables."""
    write_csv("accounts.csv", ACCOUNTS)
    write_csv("users.csv", USERS)
    write_csv("subscriptions.csv", SUBSCRIPTIONS)
    write_csv("events.csv", EVENTS)
    return folder


@pytest.fixture
def query(warehouse: Warehouse) -> Query:
    """Rows of a query."""

    def run(sql: str) -> list[tuple[object, ...]]:
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return run


@pytest.fixture(scope="module")
def report(example: BroughtIn) -> LoadReport:
    """What bringing in the module's example reported."""
    return example.report


@pytest.fixture(scope="module")
def example_warehouse(example: BroughtIn) -> Warehouse:
    """The database with the rows of the module's example; to read from."""
    return example.warehouse


@pytest.fixture
def ask(example_warehouse: Warehouse) -> Query:
    """Rows of a query on the example's database."""

    def run(sql: str) -> list[tuple[object, ...]]:
        with example_warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return run
