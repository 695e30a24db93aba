"""What every test may ask for: a real PostgreSQL, fresh databases, the shared data sets."""

import functools
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg2
import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer
from cs_pipeline.warehouse.migrate import migrate

if TYPE_CHECKING:
    from tests.builders.example_history import BroughtIn
    from tests.builders.sample_history import History

hypothesis.settings.register_profile(
    "untimed",  # how long an example takes says something about the machine, not about the code
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=60,
)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
SHARED_DATA = "CS_PIPELINE_SHARED_DATA"
TEST_SERVER_URL = "CS_PIPELINE_TEST_SERVER_URL"

CopyDatabase = Callable[[Warehouse], Warehouse]
BringInExample = Callable[[str], "BroughtIn"]
LiveThroughExample = Callable[[str], "History"]


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("CS_PIPELINE_") and name not in (SHARED_DATA, TEST_SERVER_URL):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """URL of a PostgreSQL server for this session: the embedded one, or the one named by the environment."""
    if url := os.environ.get(TEST_SERVER_URL):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_tests_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        embedded = EmbeddedServer(folder, {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"})
        yield embedded.start()
        embedded.stop()


def _create_database(server: str, template: str | None = None) -> Warehouse:
    name = f"test_{uuid.uuid4().hex[:12]}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name}" + (f" template {template} strategy file_copy" if template else ""))
    connection.close()
    return Warehouse(server.rsplit("/", 1)[0] + f"/{name}")


def _drop_database(server: str, name: str) -> None:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {name} with (force)")
    connection.close()


@pytest.fixture(scope="session")
def migrated(server: str) -> Warehouse:
    """A database with the `cs` schema and nothing in it, to copy from."""
    warehouse = _create_database(server)
    migrate(warehouse)
    return warehouse


@contextmanager
def _copying(server: str) -> Iterator[CopyDatabase]:
    copies: list[str] = []

    def copy(source: Warehouse) -> Warehouse:
        made = _create_database(server, template=source.database)
        copies.append(made.database)
        return made

    yield copy
    for name in copies:
        _drop_database(server, name)


@pytest.fixture
def copy_database(server: str) -> Iterator[CopyDatabase]:
    """Gives writable copies of a database; they are dropped after the test."""
    with _copying(server) as copy:
        yield copy


@pytest.fixture(scope="module")
def copy_once(server: str) -> Iterator[CopyDatabase]:
    """The same, for what all tests of a module share."""
    with _copying(server) as copy:
        yield copy


@pytest.fixture
def warehouse(migrated: Warehouse, copy_database: CopyDatabase) -> Warehouse:
    """A fresh, migrated database of the test's own."""
    return copy_database(migrated)


@pytest.fixture(scope="session")
def scored_history(server: str, tmp_path_factory: pytest.TempPathFactory) -> "History":
    """The sample company with its history scored; to copy from, not to write to."""
    from tests.builders.sample_history import score_history

    return score_history(_create_database(server), tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="session")
def larger_history(server: str, tmp_path_factory: pytest.TempPathFactory) -> "History":
    """A sample company with departures enough for a backtest, and its truth; not to write to."""
    from cs_pipeline.demo.company import SampleCompany
    from cs_pipeline.demo.truth import load_truth
    from tests.builders.sample_history import score_history

    folder = tmp_path_factory.mktemp("larger_history")
    company = SampleCompany(accounts=500, weeks=44, seed=11, events_scale=0.0)
    history = score_history(_create_database(server), folder, company)
    load_truth(history.warehouse, folder / "sample")
    return history


@pytest.fixture
def history(scored_history: "History", copy_database: CopyDatabase, tmp_path: Path) -> "History":
    """A writable copy of the sample company with its history scored."""
    from tests.builders.sample_history import History

    return History(copy_database(scored_history.warehouse), tmp_path / "home")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the public data sets; tests that need it are skipped where it is absent."""
    candidates = [Path(os.environ[SHARED_DATA])] if SHARED_DATA in os.environ else [ROOT.parent / "shared" / "data"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    pytest.skip(f"the public data sets are not here; download them (see examples/) and set {SHARED_DATA}")


@pytest.fixture(scope="session")
def bring_in_example(server: str, shared_data: Path) -> BringInExample:
    """Brings in an example by name, once a session."""
    from tests.builders.example_history import bring_in_example

    @functools.cache
    def bring_in(name: str) -> "BroughtIn":
        warehouse = _create_database(server)
        migrate(warehouse)
        return bring_in_example(warehouse, name, shared_data)

    return bring_in


@pytest.fixture(scope="session")
def live_through_example(
    bring_in_example: BringInExample, tmp_path_factory: pytest.TempPathFactory
) -> LiveThroughExample:
    """Scores some weeks of an example and lets its last ones happen, once a session; to read from."""
    from tests.builders.example_history import live_through

    @functools.cache
    def live(name: str) -> "History":
        return live_through(bring_in_example(name), tmp_path_factory.mktemp(name))

    return live


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test may only name requirements that docs/requirements.md lists."""
    text = (ROOT / "docs" / "requirements.md").read_text()
    known = set(re.findall(r"^([SC]\d?-\d+) \|", text, flags=re.MULTILINE))
    for item in items:
        for mark in item.iter_markers("requirement"):
            if unknown := set(mark.args) - known:
                raise pytest.UsageError(f"{item.nodeid} names {sorted(unknown)}, which docs/requirements.md does not")
