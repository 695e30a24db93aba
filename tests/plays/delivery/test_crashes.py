"""Real processes, killed for real, against a provider on a socket: sent once or uncertain, none twice, none lost."""

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox import dead_letters
from cs_pipeline.plays.outbox.queue import LEASE
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer
from cs_pipeline.warehouse.migrate import migrate
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ONE_MAIL, PlainRenderer, all_by, states
from tests.fakes.provider import Answer, Provider, Request, closed_address, provider
from tests.plays.delivery.mortal_workers import InBatches
from tests.plays.delivery.worker import live_settings

ROOT = Path(__file__).parents[3]
ACCEPTED = Answer(202, b"", {"X-Message-Id": "m1"})


def enrolled(company: Company, home: Path, count: int) -> None:
    triggers = [company.fall(account) for account in company.accounts(count)]
    enrol(company.warehouse, save_play(steps=[ONE_MAIL]), triggers, live_settings(home, "http://unused"), MONDAY)


def start(company: Company, service: Provider, home: Path, point: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "tests.plays.delivery.worker",
        company.warehouse.url,
        service.url,
        str(home),
        point,
    ]
    return subprocess.Popen(command, cwd=ROOT)


def deliver_after_the_lease(company: Company, service: Provider, home: Path) -> None:
    settings, clock = live_settings(home, service.url), Clock(MONDAY + LEASE + timedelta(minutes=1))
    deliver_due(company.warehouse, channels_for(settings, company.warehouse, clock), PlainRenderer(), settings, clock)


def accepted(service: Provider) -> Counter[str]:
    return Counter(
        person["custom_args"]["action_key"]
        for request in service.requests
        for person in request.json["personalizations"]
    )


@pytest.mark.parametrize(
    ("point", "known", "then"),
    [
        ("before claiming", {("planned", None): 3}, {("sent", None): 3}),
        (
            "after claiming",
            {("sent", None): 1, ("claimed", None): 1, ("planned", None): 1},
            {("sent", None): 2, ("uncertain", "worker_lost"): 1},
        ),
        (
            "after acceptance",
            {("sent", None): 1, ("claimed", None): 1, ("planned", None): 1},
            {("sent", None): 2, ("uncertain", "worker_lost"): 1},
        ),
    ],
)
def test_a_worker_killed_at_any_point_sends_nothing_twice_and_loses_nothing(
    company: Company, tmp_path: Path, point: str, known: dict[object, int], then: dict[object, int]
) -> None:
    enrolled(company, tmp_path, 3)
    with provider(ACCEPTED) as service:
        assert start(company, service, tmp_path, point).wait(120) == -signal.SIGKILL
        assert states(company) == known
        deliver_after_the_lease(company, service, tmp_path)
        deliver_after_the_lease(company, service, tmp_path)
        assert set(accepted(service).values()) == {1}
    assert states(company) == then


def test_a_worker_killed_while_the_provider_reads_leaves_the_action_uncertain(company: Company, tmp_path: Path) -> None:
    enrolled(company, tmp_path, 3)
    workers: list[subprocess.Popen[bytes]] = []

    def kill_at_the_second(_: Request) -> Answer:
        if len(service.requests) == 2 and workers:
            os.kill(workers.pop().pid, signal.SIGKILL)
        return ACCEPTED

    with provider(kill_at_the_second) as service:
        worker = start(company, service, tmp_path, "never")
        workers.append(worker)
        assert worker.wait(120) == -signal.SIGKILL
        deliver_after_the_lease(company, service, tmp_path)
        assert set(accepted(service).values()) == {1}
        assert len(accepted(service)) == 3
    assert states(company) == {("sent", None): 2, ("uncertain", "worker_lost"): 1}


def test_two_processes_at_once_send_every_action_once(company: Company, tmp_path: Path) -> None:
    enrolled(company, tmp_path, 30)
    with provider(ACCEPTED) as service:
        workers = [start(company, service, tmp_path, "never") for _ in range(2)]
        assert [worker.wait(120) for worker in workers] == [0, 0]
        assert (len(accepted(service)), set(accepted(service).values())) == (30, {1})
    assert states(company) == {("sent", None): 30}


def test_five_hundred_workers_killed_at_random_send_nothing_twice_and_lose_nothing(
    company: Company, tmp_path: Path
) -> None:
    settings = live_settings(tmp_path, "http://unused").model_copy(update={"breaker_share": 1.0})
    triggers = [company.fall(account) for account in company.accounts(50)]
    # Several to each account, since a worker looks at every play; to us, who have no caps and no quiet hours.
    steps = [ONE_MAIL | {"step": f"note{number}", "to": "owner", "intent": "inform"} for number in range(16)]
    enrol(company.warehouse, save_play(steps=steps), triggers, settings, MONDAY)
    with provider(ACCEPTED) as service:
        arguments = [company.warehouse.url, service.url, str(tmp_path), "500", "1"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.plays.delivery.mortal_workers", *arguments],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        killed = int(done.stdout.split()[0])
        last = Clock(MONDAY + timedelta(minutes=500) + LEASE)
        for _ in range(3):
            channels = channels_for(live_settings(tmp_path, service.url), company.warehouse, last)
            deliver_due(company.warehouse, channels, PlainRenderer(), settings, last)
        times = accepted(service)
    assert killed > 250, "most workers are to be killed at work"
    assert max(times.values()) == 1
    ended = dict(company.run("select action_key, status from cs.actions"))
    assert len(ended) == 800
    assert set(ended.values()) == {"sent", "uncertain"}
    sent = {action_key for action_key, status in ended.items() if status == "sent"}
    assert sent <= set(times), "what counts as sent was accepted"
    assert all(ended[action_key] == "uncertain" for action_key in set(ended) - set(times))
    with company.warehouse.session() as session:
        told = dead_letters.untold(session, last.now() + timedelta(hours=1))
    assert told is not None
    assert len(told.action_ids) == len(ended) - len(sent), "a person is told of every one that is uncertain"


@pytest.mark.parametrize(
    ("answer", "state", "retried_after"),
    [
        (Answer(202, b""), ("sent", None), None),
        (Answer(429, {}, {"Retry-After": "600"}), ("planned", "retry"), timedelta(minutes=10)),
        (Answer(503, {}, {"Retry-After": "600"}), ("planned", "retry"), timedelta(minutes=10)),
        (Answer(500, {}), ("uncertain", "no_answer"), None),
        (Answer(503, {}), ("uncertain", "no_answer"), None),
        (Answer(400, {"errors": [{"message": "bad from"}]}), ("failed", "refused"), None),
        (Answer(breaks_off=True), ("uncertain", "no_answer"), None),
        (None, ("planned", "retry"), timedelta(minutes=1)),
    ],
    ids=["202", "429", "503 later", "500", "503", "400", "breaks off", "refuses the connection"],
)
def test_what_becomes_of_an_action_by_the_answer_of_sendgrid(
    company: Company, tmp_path: Path, answer: Answer | None, state: tuple[object, ...], retried_after: timedelta | None
) -> None:
    enrolled(company, tmp_path, 1)
    with provider(answer or ACCEPTED) as service:
        settings = live_settings(tmp_path, service.url if answer else closed_address())
        clock = Clock(MONDAY)
        channels = channels_for(settings, company.warehouse, clock)
        deliver_due(company.warehouse, channels, PlainRenderer(), settings, clock)
    assert states(company) == {state: 1}
    if retried_after:
        assert company.column("select due_at from cs.actions") == [MONDAY + retried_after]


@pytest.fixture
def server_of_its_own() -> Iterator[EmbeddedServer]:
    """A server that a test may stop; in a folder that `nobody` may enter, as whom it runs for root."""
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_restart_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedServer(folder, {"fsync": "off"})
        server.start()
        yield server
        server.stop()


def test_a_database_that_restarts_in_the_middle_of_a_delivery_loses_nothing_and_repeats_nothing(
    server_of_its_own: EmbeddedServer, tmp_path: Path
) -> None:
    warehouse = Warehouse(server_of_its_own.url)
    migrate(warehouse)
    company = Company(warehouse)
    enrolled(company, tmp_path, 6)

    def restart_at_the_third(_: Request) -> Answer:
        if len(service.requests) == 3:
            server_of_its_own.stop()
            server_of_its_own.start()
        return ACCEPTED

    with provider(restart_at_the_third) as service:
        settings, clock = live_settings(tmp_path, service.url), Clock(MONDAY)
        one_by_one = InBatches(channels_for(settings, warehouse, clock)["email"], 1)
        with pytest.raises((psycopg2.OperationalError, psycopg2.InterfaceError)):
            deliver_due(warehouse, all_by(one_by_one), PlainRenderer(), settings, clock)
        deliver_after_the_lease(company, service, tmp_path)
        deliver_after_the_lease(company, service, tmp_path)
        times = accepted(service)
    assert (len(times), set(times.values())) == (6, {1})
    assert states(company) == {("sent", None): 5, ("uncertain", "worker_lost"): 1}


def test_a_clock_that_jumps_back_or_far_ahead_repeats_nothing(company: Company, tmp_path: Path) -> None:
    enrolled(company, tmp_path, 3)
    with provider(ACCEPTED) as service:
        for jump in (timedelta(0), timedelta(days=-2), timedelta(hours=1), timedelta(days=400), timedelta(0)):
            settings, clock = live_settings(tmp_path, service.url), Clock(MONDAY + jump)
            channels = channels_for(settings, company.warehouse, clock)
            deliver_due(company.warehouse, channels, PlainRenderer(), settings, clock)
        assert accepted(service).total() == 3
    assert states(company) == {("sent", None): 3}
