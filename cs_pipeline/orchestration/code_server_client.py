"""Ask a code server whether it answers, and whether it executes a run.

Dagster publishes no client of its code servers, so this module alone imports Dagster's private one.
"""

from pathlib import Path
from typing import Any

import grpc
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

ANSWER_SECONDS = 10


def answers(socket: Path) -> bool:
    """Whether the server at `socket` answers, and the process behind it in which the code is loaded."""
    try:
        DagsterGrpcClient(socket=str(socket)).get_server_id(timeout=ANSWER_SECONDS)
    except Exception:  # Dagster wraps what gRPC raises
        return False
    return True


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
