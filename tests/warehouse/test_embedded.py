"""The embedded server: starts from nothing, survives a kill, keeps its password, says what is wrong."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_embedded_", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def embedded(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder / "postgres")
    yield server
    if server.data.exists():
        server.stop()


def answer(url: str, sql: str) -> object:
    with Warehouse(url).session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        return row[0] if row else None


def test_a_started_server_answers_and_starting_again_changes_nothing(embedded: EmbeddedServer) -> None:
    url = embedded.start()
    assert embedded.start() == url
    assert answer(url, "select current_setting('server_encoding')") == "UTF8"
    assert embedded.stop() is True
    assert embedded.stop() is False


def test_data_survives_a_server_that_ended_without_saying_goodbye(embedded: EmbeddedServer) -> None:
    url = embedded.start()
    with Warehouse(url).session() as session, session.cursor() as cursor:
        cursor.execute("create table kept as select 42 as answer")
    postmaster = int((embedded.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGQUIT)  # no checkpoint: the next start recovers from the log
    while (embedded.data / "postmaster.pid").exists():
        time.sleep(0.05)
    assert answer(embedded.start(), "select answer from kept") == 42


def test_the_password_can_be_read_by_its_owner_only(embedded: EmbeddedServer) -> None:
    embedded.start()
    password_file = embedded.folder / "password"
    assert password_file.stat().st_mode & 0o077 == 0
    assert len(password_file.read_text()) >= 24


def test_asking_a_server_that_was_never_started_says_what_to_do(folder: Path) -> None:
    with pytest.raises(UserError, match="cs-pipeline up"):
        _ = EmbeddedServer(folder / "nothing").url


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_a_folder_that_the_server_user_cannot_enter_is_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(UserError, match=f"cannot enter {closed}"):
        EmbeddedServer(closed / "postgres").start()
