"""What a code server says of the code, on its own protocol: which errors a later attempt may not meet."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import grpc
import psycopg2.errors
import pytest
import sqlalchemy
import sqlalchemy.exc
from dagster._core.errors import DagsterUserCodeLoadError, DagsterUserCodeProcessError, user_code_error_boundary
from dagster._grpc import client, server_watcher
from dagster._grpc.__generated__.dagster_api_pb2 import ListRepositoriesReply
from dagster._grpc.__generated__.dagster_api_pb2_grpc import DagsterApiServicer, add_DagsterApiServicer_to_server
from dagster._serdes import serialize_value
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.code_server_client import CodeState, state_of_code
from cs_pipeline.warehouse.connection import Warehouse


def a_database_that_is_away() -> None:
    with Warehouse("postgresql://nobody@127.0.0.1:1/nothing").session():
        pass


def a_database_that_starts() -> None:
    raise psycopg2.errors.CannotConnectNow("the database system is starting up")


def a_connection_that_broke_off() -> None:
    try:
        sqlalchemy.create_engine("postgresql://nobody@127.0.0.1:1/nothing").connect()
    except sqlalchemy.exc.OperationalError as error:
        raise dg.DagsterInvariantViolationError("no storage") from error


def user_code_that_reads_the_database() -> None:
    with user_code_error_boundary(DagsterUserCodeLoadError, lambda: "the definitions"):
        a_database_that_is_away()


def a_process_that_was_killed() -> None:
    raise DagsterUserCodeProcessError("the server exited with -9", user_code_process_error_infos=[])


def a_slip_of_the_pen() -> None:
    with user_code_error_boundary(DagsterUserCodeLoadError, lambda: "the definitions"):
        compile("def", "definitions.py", "exec")


def definitions_that_contradict_themselves() -> None:
    raise dg.DagsterInvalidDefinitionError("two assets of one key")


def a_playbook_that_is_wrong() -> None:
    with user_code_error_boundary(DagsterUserCodeLoadError, lambda: "the definitions"):
        raise UserError("playbooks/red_save.yaml, line 3: no such channel")


@pytest.mark.parametrize(
    ("fails", "may_load_later"),
    [
        (a_database_that_is_away, True),
        (a_database_that_starts, True),
        (a_connection_that_broke_off, True),
        (user_code_that_reads_the_database, True),
        (a_process_that_was_killed, True),
        (a_slip_of_the_pen, False),
        (definitions_that_contradict_themselves, False),
        (a_playbook_that_is_wrong, False),
    ],
)
def test_only_an_error_that_may_pass_is_met_by_another_attempt(
    fails: Callable[[], None], may_load_later: bool, tmp_path: Path
) -> None:
    with code_server_of(fails, tmp_path / "socket") as socket:
        state = state_of_code(socket)
    assert state.is_answered
    assert state.why_not_loaded
    assert state.may_load_later == may_load_later


def test_nobody_at_the_socket_is_no_answer(tmp_path: Path) -> None:
    assert state_of_code(tmp_path / "socket") == CodeState(is_answered=False)


def test_dagster_still_asks_a_code_server_at_the_intervals_that_are_set() -> None:
    """They are no setting of Dagster's: after a change of its version they may have another name."""
    for asks in (server_watcher.watch_grpc_server_thread, client.client_heartbeat_thread):
        assert {"WATCH_INTERVAL", "CLIENT_HEARTBEAT_INTERVAL"} & set(asks.__code__.co_names)


@contextmanager
def code_server_of(fails: Callable[[], None], socket: Path) -> Iterator[Path]:
    """A code server whose code did not load."""

    error = serialize_value(error_of(fails))

    class Servicer(DagsterApiServicer):
        def ListRepositories(self, request: object, context: object) -> ListRepositoriesReply:
            return ListRepositoriesReply(serialized_list_repositories_response_or_error=error)

    server = grpc.server(ThreadPoolExecutor(1))
    add_DagsterApiServicer_to_server(Servicer(), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    try:
        yield socket
    finally:
        server.stop(None)


def error_of(fails: Callable[[], None]) -> SerializableErrorInfo:
    try:
        fails()
    except Exception:
        return serializable_error_info_from_exc_info(sys.exc_info())
    pytest.fail("it does not fail")
