"""What every test may ask for: a real PostgreSQL, fresh databases, the shared data sets."""

import functools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.citus import workers_of
from tests.builders.databases import Databases, embedded_server, make_session_folder, one_worker_at_a_time
from tests.builders.garbage import look_for_garbage_seldom
from tests.builders.warm_dbt import stand_in_for_dbt, write_command
from tests.slowest_first import put_slowest_first

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
WHOLE_EXAMPLES = "CS_PIPELINE_TEST_WHOLE_EXAMPLES"

CopyDatabase = Callable[[Warehouse], Warehouse]
BringInExample = Callable[[str], "BroughtIn"]
LiveThroughExample = Callable[[str], "History"]


SHARED = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that the workers share.

    Before any module of ours is imported, dbt is replaced by one that is loaded.
    """
    if not hasattr(config, "workerinput"):
        config.stash[SHARED] = make_session_folder()
        write_command(config.stash[SHARED])
    stand_in_for_dbt(shared_folder(config))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which folder that is."""
    node.workerinput["shared_folder"] = str(node.config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, or leave nothing behind on it, once no worker needs it any more."""
    if shared := config.stash.get(SHARED, None):
        if url := os.environ.get(TEST_SERVER_URL):
            Databases(url, shared).drop_made()
        embedded_server(shared).stop()
        shutil.rmtree(shared, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Every module is loaded now."""
    look_for_garbage_seldom()


def shared_folder(config: pytest.Config) -> Path:
    """The folder that the workers of the session share."""
    told: dict[str, str] = getattr(config, "workerinput", {})
    return Path(told["shared_folder"]) if told else config.stash[SHARED]


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("CS_PIPELINE_") and name not in (SHARED_DATA, TEST_SERVER_URL, WHOLE_EXAMPLES):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Databases:
    """The session's PostgreSQL server, one for all workers: the embedded one, or the one named by the environment."""
    shared = shared_folder(pytestconfig)
    if url := os.environ.get(TEST_SERVER_URL):
        return Databases(url, shared)
    with one_worker_at_a_time(shared / "server.lock"):
        return Databases(embedded_server(shared).start(), shared)


@pytest.fixture(scope="session")
def server(databases: Databases) -> str:
    """Address of the server."""
    return databases.url


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> Warehouse:
    """A database with the `cs` schema and nothing in it, spread over the servers of a Citus; to copy from."""
    return databases.made_once("migrated", databases.migrate)


@contextmanager
def _copying(databases: Databases) -> Iterator[CopyDatabase]:
    copies: list[Warehouse] = []

    def copy(source: Warehouse) -> Warehouse:
        copies.append(databases.create(template=source.database))
        return copies[-1]

    yield copy
    for made in copies:
        databases.drop(made)


@pytest.fixture
def copy_database(databases: Databases) -> Iterator[CopyDatabase]:
    """Gives writable copies of a database; they are dropped after the test."""
    with _copying(databases) as copy:
        yield copy


@pytest.fixture(scope="module")
def copy_once(databases: Databases) -> Iterator[CopyDatabase]:
    """The same, for what all tests of a module share."""
    with _copying(databases) as copy:
        yield copy


@pytest.fixture
def warehouse(migrated: Warehouse, copy_database: CopyDatabase) -> Warehouse:
    """A fresh, migrated database of the test's own."""
    return copy_database(migrated)


@pytest.fixture(scope="session")
def history_template(databases: Databases, migrated: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The database of the sample company with its history scored, to copy from only: any worker may be copying it."""
    from tests.builders.sample_history import score_history

    return databases.made_once(
        "scored_history", lambda warehouse: score_history(warehouse, tmp_path_factory.mktemp("history")), migrated
    )


@pytest.fixture(scope="module")
def scored_history(
    history_template: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory
) -> "History":
    """The sample company with its history scored; to read from."""
    from tests.builders.sample_history import History

    return History(copy_once(history_template), tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def kpi_history(
    databases: Databases,
    history_template: Warehouse,
    copy_once: CopyDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> "History":
    """The sample company with its history scored and its KPIs built; to read from, or a module's own to change."""
    from tests.builders.sample_history import History, build_kpis

    folder = tmp_path_factory.mktemp("kpi_history")
    template = databases.made_once("kpi_history", lambda warehouse: build_kpis(warehouse, folder), history_template)
    return History(copy_once(template), folder / "home")


@pytest.fixture(scope="module")
def larger_history(
    databases: Databases, migrated: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory
) -> "History":
    """A sample company with departures enough for a backtest, and its truth; to read from, or to run what only reads.

    Each module has a copy of its own.
    """
    from tests.builders.sample_history import LARGER_COMPANY, History, score_larger_history

    folder = tmp_path_factory.mktemp("larger_history")
    template = databases.made_once(
        "larger_history", lambda warehouse: score_larger_history(warehouse, folder), migrated
    )
    return History(copy_once(template), folder / "home", LARGER_COMPANY)


@pytest.fixture
def history(history_template: Warehouse, copy_database: CopyDatabase, tmp_path: Path) -> "History":
    """A writable copy of the sample company with its history scored."""
    from tests.builders.sample_history import History

    return History(copy_database(history_template), tmp_path / "home")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the public data sets; tests that need it are skipped where it is absent."""
    candidates = [Path(os.environ[SHARED_DATA])] if SHARED_DATA in os.environ else [ROOT.parent / "shared" / "data"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    pytest.skip(f"the public data sets are not here; download them (see examples/) and set {SHARED_DATA}")


@pytest.fixture(scope="session")
def bring_in_example(
    databases: Databases, migrated: Warehouse, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> BringInExample:
    """Brings in an example by name, once a session."""
    from tests.builders.example_history import bring_in_example

    @functools.cache
    def bring_in(name: str) -> "BroughtIn":
        warehouse = databases.create(template=migrated.database)
        return bring_in_example(warehouse, name, shared_data, tmp_path_factory.mktemp(name))

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test may only name requirements that docs/requirements.md lists. Workers begin with what takes longest."""
    text = (ROOT / "docs" / "requirements.md").read_text()
    known = set(re.findall(r"^([SC]\d?-\d+) \|", text, flags=re.MULTILINE))
    is_citus = bool(workers_of(os.environ[TEST_SERVER_URL])) if TEST_SERVER_URL in os.environ else False
    for item in items:
        if is_citus and (mark := item.get_closest_marker("one_server")):
            item.add_marker(pytest.mark.skip(reason=f"not on a Citus: {mark.args[0]}"))
        for mark in item.iter_markers("requirement"):
            if unknown := set(mark.args) - known:
                raise pytest.UsageError(f"{item.nodeid} names {sorted(unknown)}, which docs/requirements.md does not")
        if "databases" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
    if hasattr(config, "workerinput"):
        put_slowest_first(items)
