"""Ask a code server whether the code is loaded, and whether it executes a run; let it load the code again.

Dagster publishes no client of its code servers, so this module alone imports Dagster's private one.
"""

import inspect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psycopg2
import psycopg2.errors
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc import client as grpc_client
from dagster._grpc import server_watcher
from dagster._grpc.__generated__ import dagster_api_pb2
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult, ListRepositoriesResponse
from dagster._serdes import deserialize_value
from dagster_shared.error import SerializableErrorInfo

from cs_pipeline.warehouse.refusals import DatabaseRefusal, DatabaseUnreachable

ANSWER_SECONDS = 10
ASKED_EVERY = 5
"""Seconds between two questions whether a code server is still there, and the same."""
LOAD_SECONDS = 600

_DATABASE_ERRORS = (psycopg2.OperationalError, psycopg2.InterfaceError)
PASSING = {
    DatabaseUnreachable.__name__,
    DatabaseRefusal.__name__,
    *(each.__name__ for each in _DATABASE_ERRORS),  # SQLAlchemy's have the same names
    *(
        name
        for name, each in inspect.getmembers(psycopg2.errors, inspect.isclass)
        if issubclass(each, _DATABASE_ERRORS)
    ),
    "DagsterUserCodeProcessError",  # the process ended before it had tried
}
"""Classes of errors that a later attempt may not meet, though nobody has changed the code."""


@dataclass(frozen=True)
class CodeState:
    """What a code server says of the code: whether anybody answers, and why it is not loaded, empty when it is."""

    is_answered: bool
    why_not_loaded: str = ""
    may_load_later: bool = False
    """Whether what failed was not the code itself: the database was away, or the process ended."""


def state_of_code(socket: Path) -> CodeState:
    """Asks the server at `socket`, which asks the process behind it in which the code is loaded."""
    client = DagsterGrpcClient(socket=str(socket))
    try:
        answer = client._get_response(  # what is public waits a minute
            "ListRepositories", dagster_api_pb2.ListRepositoriesRequest(), timeout=ANSWER_SECONDS
        )
    except grpc.RpcError:
        return CodeState(is_answered=False)
    found = deserialize_value(
        answer.serialized_list_repositories_response_or_error, (ListRepositoriesResponse, SerializableErrorInfo)
    )
    if isinstance(found, ListRepositoriesResponse):
        return CodeState(is_answered=True)
    chain = list(_chain(found))
    return CodeState(
        is_answered=True,
        why_not_loaded=" ".join(chain[-1].message.split()),
        may_load_later=any(error.cls_name in PASSING for error in chain),
    )


def load_again(socket: Path) -> None:
    """Let the server at `socket` load the code in a new process, as `Reload` in the UI does, and wait while it tries.

    Whether that went well, and whether the server is still there, says its state.
    """
    with suppress(DagsterUserCodeUnreachableError):
        DagsterGrpcClient(socket=str(socket)).reload_code(timeout=LOAD_SECONDS)


def _chain(error: SerializableErrorInfo | None) -> Iterator[SerializableErrorInfo]:
    while error is not None:
        yield error
        error = error.cause or error.context


def ask_less_often() -> None:
    """Let this process ask its code server every `ASKED_EVERY` seconds whether it is still there, not every second.

    Dagster has no setting for it. Each question is a connection of its own, and while nothing else happens they would
    take a sixth of what everything takes.
    """
    server_watcher.WATCH_INTERVAL = ASKED_EVERY
    grpc_client.CLIENT_HEARTBEAT_INTERVAL = ASKED_EVERY  # it ends when it has not been asked for 30 s


def why_not_executing(run_id: str, server: dict[str, Any]) -> str:
    """In words, why the server of a run does not execute it; empty when it does, or does not say in time.

    `server` is what Dagster keeps of it with the run: host, and port or socket.
    """
    client = DagsterGrpcClient(
        port=server.get("port"),
        socket=server.get("socket"),
        host=server.get("host") or "localhost",
        use_ssl=bool(server.get("use_ssl")),
    )
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=ANSWER_SECONDS)
    except Exception as error:  # Dagster wraps what gRPC raises
        return "its code server is gone" if _is_unavailable(error) else ""
    is_known = deserialize_value(answer, CanCancelExecutionResult).can_cancel
    return "" if is_known else "its code server does not execute it"


def _is_unavailable(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, grpc.RpcError):
            return isinstance(error, grpc.Call) and error.code() == grpc.StatusCode.UNAVAILABLE
        error = error.__cause__ or error.__context__
    return False
