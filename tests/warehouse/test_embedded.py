"""The embedded server: starts from nothing, survives a kill, keeps its password, says what is wrong."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg2
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.instance_storage import PipelineStorage
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer
from cs_pipeline.warehouse.migrate import migrate


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


def test_texts_are_ordered_by_their_bytes_and_letters_of_all_languages_are_known(embedded: EmbeddedServer) -> None:
    order = "select datcollate || ' ' || upper('é') from pg_database where datname = current_database()"
    assert answer(embedded.start(), order) == "C É"


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


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_server_is_reached_over_its_socket_and_over_ipv6(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = folder / "sockets of ours"
    sockets.mkdir()
    sockets.chmod(0o777)
    settings = {"unix_socket_directories": f'"{sockets}"', "listen_addresses": "127.0.0.1,::1"}
    embedded = EmbeddedServer(folder / "postgres", settings)
    tcp = urlsplit(embedded.start())
    credentials, port = f"{tcp.username}:{tcp.password}", tcp.port
    try:
        for url in (
            f"postgresql://{credentials}@{quote(str(sockets), safe='')}:{port}/cs_pipeline",
            f"postgresql://{credentials}@/cs_pipeline?port={port}&host={quote(str(sockets))}",
            f"postgres://{credentials}@[::1]:{port}/cs_pipeline?sslmode=disable",
        ):
            warehouse = Warehouse(url)
            migrate(warehouse)
            assert answer(url, "select 42") == 42
            assert query(warehouse, "select 42 as answer")["answer"].tolist() == [42]
            monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", url)
            assert PipelineStorage.from_config_value(None, {}).run_storage.get_runs() == []
            told = warehouse.dbt_environment()
            profile = psycopg2.connect(
                host=told["CS_PIPELINE_DBT_HOST"], port=told["CS_PIPELINE_DBT_PORT"], user=told["CS_PIPELINE_DBT_USER"],
                password=told["CS_PIPELINE_DBT_PASSWORD"], dbname=told["CS_PIPELINE_DBT_DATABASE"],
                sslmode=told["CS_PIPELINE_DBT_SSLMODE"],
            )  # fmt: skip
            profile.close()
    finally:
        embedded.stop()
