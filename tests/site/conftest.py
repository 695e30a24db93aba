"""A sample company with something on every page, and browsers at its site."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.sample_history import History
from tests.builders.site import Sample, client_of, copied, fill
from tests.conftest import CopyDatabase


@pytest.fixture(scope="module")
def filled(history_template: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """To copy from only."""
    return fill(History(copy_once(history_template), tmp_path_factory.mktemp("site") / "home"))


@pytest.fixture(scope="module")
def sample(filled: Sample, copy_once: CopyDatabase) -> Sample:
    """To read from."""
    return copied(filled, copy_once(filled.warehouse))


@pytest.fixture(scope="module")
def reader(sample: Sample) -> Iterator[TestClient]:
    """A browser at this machine that nobody knows: it may read."""
    with client_of(sample) as client:
        yield client


@pytest.fixture
def changing(filled: Sample, copy_database: CopyDatabase) -> Sample:
    """A copy that the test may change."""
    return copied(filled, copy_database(filled.warehouse))


@pytest.fixture
def actor(changing: Sample) -> Iterator[TestClient]:
    """A browser of somebody whom the team's proxy knows, at the copy: it may act."""
    with client_of(changing, acts=True) as client:
        yield client
