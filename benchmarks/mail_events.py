"""`python -m benchmarks.mail_events`: 1,000 events a second from SendGrid's webhook, in requests of several sizes.

The site is a process of its own, as `up` starts it, before an embedded server that writes to disk as it would for a
team. Each request is signed, checked, kept and committed before it is answered. Then as many requests as it takes.
"""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.clocks import processor_seconds_so_far
from benchmarks.results import write_section
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer, free_port
from cs_pipeline.warehouse.migrate import migrate
from tests.builders.mail_events import body_of, event, public_key, signed

EVENTS_A_SECOND = 1_000
SECONDS = 20
SIZES = {1_000: 60, 100: 400, 10: 2_000, 1: 4_000}
"""Requests to send as fast as they are answered, by their events. SendGrid puts together what a second holds: it does
not send a thousand requests a second with an event each, so that is not asked at a pace."""
SENDERS = 8  # SendGrid's servers, each of which waits for an answer
AT_MOST = 5.0  # seconds until an answer; SendGrid waits for ten


@dataclass(frozen=True)
class Burst:
    """What came of one: seconds until each answer, wall seconds of all, seconds of a processor."""

    size: int
    answers: Sequence[float]
    wall: float
    processor: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.size * len(self.answers) / self.wall

    def row(self, asked: str) -> str:
        """The row of the table."""
        slow = statistics.quantiles(self.answers, n=100)[98]
        busy = self.processor / self.wall
        return (
            f"| {self.size:,} | {asked} | {self.rate:,.0f} | {statistics.median(self.answers) * 1000:,.0f} | "
            f"{slow * 1000:,.0f} | {busy:.2f} |"
        )


def main() -> None:
    """Measure, print, and keep the table in benchmarks/results.md. Exits with 1 where answers take too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail_events", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    seconds = parser.parse_args().seconds
    rows: list[str] = []
    is_slow = False
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_bench_", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # as root the server runs as nobody, who must be able to enter
        server = EmbeddedServer(Path(name) / "postgres")
        warehouse = Warehouse(server.start())
        try:
            migrate(warehouse)
            with serving(warehouse, Path(name)) as (port, site):
                for size, most in SIZES.items():
                    for pace in (EVENTS_A_SECOND, None) if size > 1 else (None,):
                        asked = f"{pace:,}" if pace else "as many as it takes"
                        number = pace * seconds // size if pace else most
                        done = burst(port, site, Path(name) / "postgres", size, pace, number)
                        is_slow |= max(done.answers) > AT_MOST or bool(pace and done.rate < 0.97 * pace)
                        rows.append(done.row(asked))
                        print(rows[-1], flush=True)
            require_all(warehouse)
        finally:
            server.stop()
    write_section(
        "Events of mails",
        [
            f"`python -m benchmarks.mail_events`: {seconds} s of requests from {SENDERS} senders to the site and an",
            "embedded server that writes to disk. Each is signed, checked, kept and committed before it is answered;",
            "*cores* are those that the site and PostgreSQL kept busy.",
            "",
            "| events a request | asked, events/s | kept, events/s | median ms | 99 of 100 ms | cores |",
            "|---:|---:|---:|---:|---:|---:|",
            *rows,
        ],
    )
    if is_slow:
        raise SystemExit("The burst was not held.")


def burst(port: int, site: int, server: Path, size: int, pace: int | None, number: int) -> Burst:
    """`number` requests of `size` events, `pace` events a second or as fast as they are answered."""
    now = datetime.now(UTC)
    requests = []
    for request in range(number):
        told = [event("open", now, sg_message_id=f"{size}.{pace}.{request}.{each}") for each in range(size)]
        requests.append((body := body_of(told), signed(body, now)))
    cpu_before, began = _processor(site, server), time.perf_counter()

    def send(sender: int) -> list[float]:
        took: list[float] = []
        for request in range(sender, number, SENDERS):
            due = began + request * size / pace if pace else time.perf_counter()
            time.sleep(max(due - time.perf_counter(), 0))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/webhooks/sendgrid", *requests[request])
            answer = connection.getresponse()
            if (answer.status, answer.read()) != (200, f"{size} of {size} events are new\n".encode()):
                raise SystemExit(f"A request was answered {answer.status}")
            took.append(time.perf_counter() - due)
            connection.close()
        return took

    with ThreadPoolExecutor(SENDERS) as senders:
        answers = [each for took in senders.map(send, range(SENDERS)) for each in took]
    return Burst(size, answers, time.perf_counter() - began, _processor(site, server) - cpu_before)


def require_all(warehouse: Warehouse) -> None:
    """Stop unless every event is there once."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select count(*), count(distinct message_id) from cs.sendgrid_events")
        ((events, messages),) = cursor.fetchall()
    if events != messages:
        raise SystemExit(f"{events:,} events of {messages:,} messages")
    print(f"{events:,} events are kept, each once", flush=True)


@contextmanager
def serving(warehouse: Warehouse, home: Path) -> Iterator[tuple[int, int]]:
    """The site in a process of its own; its port and process."""
    port = free_port()
    environment = os.environ | {
        "CS_PIPELINE_DATABASE_URL": warehouse.url,
        "CS_PIPELINE_HOME": str(home),
        "CS_PIPELINE_SITE_URL": f"http://127.0.0.1:{port}",
        "CS_PIPELINE_SENDGRID_WEBHOOK_KEY": public_key(),
    }
    process = subprocess.Popen([sys.executable, "-m", "cs_pipeline.site.server"], env=environment)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _processor(site: int, server: Path) -> float:
    """Seconds of the site and of PostgreSQL, without those of whoever sends."""
    times = psutil.Process(site).cpu_times()
    return times.user + times.system + processor_seconds_so_far(server) - time.process_time()


if __name__ == "__main__":
    main()
