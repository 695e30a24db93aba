"""What was answered is kept, though the site is killed in the middle of a burst; what was not comes again, once."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import free_port
from tests.builders.mail_events import body_of, event, public_key, signed

REQUESTS, EVENTS, ANSWERED = 150, 20, 40
NOW = datetime.now(UTC)


@contextmanager
def serving(warehouse: Warehouse, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The site as `up` starts it, on a clock that runs."""
    environment = {
        **os.environ,
        "CS_PIPELINE_DATABASE_URL": warehouse.url,
        "CS_PIPELINE_HOME": str(home),
        "CS_PIPELINE_SITE_URL": f"http://127.0.0.1:{port}",
        "CS_PIPELINE_SENDGRID_WEBHOOK_KEY": public_key(),
    }
    process = subprocess.Popen([sys.executable, "-m", "cs_pipeline.site.server"], env=environment)
    try:
        until = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < until, "the site does not listen"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def is_taken(port: int, body: bytes) -> bool:
    """Whether the site has answered 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/webhooks/sendgrid", body, signed(body, NOW))
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def messages(warehouse: Warehouse) -> set[str]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select message_id from cs.sendgrid_events")
        found = [message for (message,) in cursor.fetchall()]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.slow(seconds=8)
@pytest.mark.requirement("S5-14")
def test_a_burst_survives_a_kill(warehouse: Warehouse, tmp_path: Path) -> None:
    port = free_port()
    bodies = [
        body_of([event("open", NOW, sg_message_id=f"{request}.{each}") for each in range(EVENTS)])
        for request in range(REQUESTS)
    ]
    taken: set[int] = set()
    enough = threading.Event()

    def send(request: int) -> None:
        if is_taken(port, bodies[request]):
            taken.add(request)
        if len(taken) >= ANSWERED:
            enough.set()

    with serving(warehouse, tmp_path, port) as site, ThreadPoolExecutor(8) as senders:
        burst = [senders.submit(send, request) for request in range(REQUESTS)]
        assert enough.wait(60)
        site.kill()
        for each in burst:
            each.result()
    assert ANSWERED <= len(taken) < REQUESTS, "it was killed in the middle"
    there = messages(warehouse)
    assert {f"{request}.{each}" for request in taken for each in range(EVENTS)} <= there
    by_request = {message.partition(".")[0] for message in there}
    assert len(there) == EVENTS * len(by_request), "a request is kept whole or not at all"
    with serving(warehouse, tmp_path, port):
        assert all(is_taken(port, bodies[request]) for request in range(REQUESTS) if request not in taken)
    assert len(messages(warehouse)) == REQUESTS * EVENTS
