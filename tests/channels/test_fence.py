"""What is behind the fence sends nothing; every exchange ends in bounded time; the kernel ends what outlives it."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from cs_pipeline.channels import exchange, fence
from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import Fence
from cs_pipeline.channels.sendgrid import SendGridChannel
from cs_pipeline.channels.sendgrid_requests import Sending
from cs_pipeline.channels.slack import SlackChannel
from cs_pipeline.channels.teams import TeamsChannel
from cs_pipeline.plays.outbox.queue import LEASE
from tests.builders.messages import CRM, EMAIL, SLACK, TEAMS
from tests.channels.test_hubspot import channel as hubspot
from tests.channels.test_salesforce import channel as salesforce
from tests.channels.test_salesforce import over_http
from tests.fakes.provider import Answer, provider


def channels(url: str) -> dict[str, tuple[BaseChannel, object]]:
    slack = SlackChannel(SecretStr("xoxb"), base_url=url + "/api/", seconds_between=0)
    return {
        "sendgrid": (SendGridChannel(SecretStr("SG"), host=url, sending=Sending("cs@us.example")), EMAIL),
        "slack": (slack, SLACK),
        "a person in slack": (slack, replace(SLACK, recipient="olga@example.com")),
        "teams": (TeamsChannel(SecretStr(url + "/hook"), seconds_between=0), TEAMS),
        "hubspot": (hubspot(url), CRM),
        "salesforce": (salesforce(), CRM),
    }


NAMES = tuple(channels("http://127.0.0.1:1"))


@pytest.mark.parametrize("name", NAMES)
def test_behind_the_fence_no_channel_writes_anything(name: str) -> None:
    with provider(Answer(202)) as listening, over_http(listening.url):
        channel, message = channels(listening.url)[name]
        over = Fence(sends_until=0.0, lives_until=Fence.begin().lives_until)
        with over.around():
            (outcome,) = channel.deliver([message])  # pyright: ignore[reportArgumentType]
        assert outcome.status == "retry"
        assert listening.requests == []


def test_behind_the_fence_nothing_goes_over_a_connection_that_is_kept() -> None:
    with provider(Answer(202, kept=True)) as listening:
        channel = SendGridChannel(SecretStr("SG"), host=listening.url, sending=Sending("cs@us.example"))
        assert channel.deliver([EMAIL])[0].status == "sent"
        with Fence(sends_until=0.0, lives_until=Fence.begin().lives_until).around():
            assert channel.deliver([EMAIL])[0].status == "retry"
        assert len(listening.requests) == 1


@contextmanager
def dripping() -> Iterator[str]:
    """A provider whose answer comes byte by byte, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX: ")
                    while not done.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.close()
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_drips_ends_all_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "EXCHANGE_SECONDS", 0.3)
    with dripping() as url, over_http(url):
        channel, message = channels(url)[name]
        began = time.monotonic()
        (outcome,) = channel.deliver([message])  # pyright: ignore[reportArgumentType]
        assert time.monotonic() - began < 10, "it would drip for ever"
    assert outcome.status == ("uncertain" if name in ("sendgrid", "slack", "teams") else "retry")


def stopped_in(a_fence_of: float) -> int:
    """A child's exit code that is stopped inside a fence, longer than it lets a process live, and goes on."""
    child = os.fork()
    if child == 0:
        now = Fence.begin()
        begun = now.sends_until - fence.SENDS_FOR
        with Fence(begun + a_fence_of / 2, begun + a_fence_of).around():
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(7)
    os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    time.sleep(0.3)
    os.kill(child, signal.SIGCONT)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_process_that_is_stopped_for_longer_than_its_lease_runs_no_further_instruction() -> None:
    assert stopped_in(0.1) == -signal.SIGKILL
    assert stopped_in(60) == 7


def test_a_process_that_leaves_the_fence_in_time_lives_on() -> None:
    now = Fence.begin()
    with Fence(now.sends_until, now.sends_until - fence.SENDS_FOR + 0.1).around():
        assert fence.seconds_left() is not None
    time.sleep(0.15)
    assert fence.seconds_left() is None


def test_a_worker_is_gone_before_the_lease_of_its_actions_ends() -> None:
    assert fence.SENDS_FOR < fence.LIVES_FOR < LEASE.total_seconds()
