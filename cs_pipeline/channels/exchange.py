"""Bound one exchange with a provider: by how long it takes in all, and so that none goes on behind the fence.

What providers' answers mean, and which failures may be told, is in `http`; the fence is in `fence`.
"""

import io
import socket
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from cs_pipeline.channels.fence import seconds_left

EXCHANGE_SECONDS = 30.0
"""From connecting to the last byte of the answer, however slowly that drips."""

UNACKNOWLEDGED_MILLISECONDS = 20_000
"""How long the kernel keeps trying to hand over what was written: also for a process that is gone."""


class NotConnectedError(OSError):
    """No connection came about: nothing was written."""


class FencedError(NotConnectedError):
    """The lease of what was to be sent is over: nothing was written."""


class BoundedExchange(HTTPConnection):
    """One exchange with a provider takes so long and no longer, and none begins or goes on behind the fence.

    Mixed into the connections of every library that is used here, urllib's and urllib3's alike: a limit for each read
    would let an answer that drips go on for ever. What the other machine does not acknowledge, the kernel gives up.
    """

    sock: socket.socket
    began_at = 0.0
    """When the newest exchange began, on the monotonic clock; 0 before the first."""
    _has_written = False

    def connect(self) -> None:
        """Connect, or raise NotConnectedError."""
        if not self.began_at:
            self._begin()
        try:
            super().connect()
        except OSError as error:
            raise NotConnectedError(str(error)) from error
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)

    def request(self, *arguments: Any, **options: Any) -> None:
        """Each request on a connection that is kept is an exchange of its own."""
        self._begin()
        super().request(*arguments, **options)

    def send(self, data: Any) -> None:
        """Write, unless it is too late by now: the last look before bytes leave."""
        if self.sock is None:
            self.connect()
        left = self._left()
        if left <= 0:
            self.close()  # of half a request no provider makes a whole one
            raise (TimeoutError if self._has_written else FencedError)("too late to send")
        most = self.sock.gettimeout()
        self.sock.settimeout(left)
        self._has_written = True
        super().send(data)
        self.sock.settimeout(most)

    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        """The answer, all of which has to come within what is left."""
        self.response_class = partial(_BoundedAnswer, left=self._left)  # pyright: ignore[reportAttributeAccessIssue]
        return super().getresponse(*arguments, **options)

    def _begin(self) -> None:
        fenced = seconds_left()
        if fenced is not None and fenced <= 0:
            raise FencedError("too late to send")
        self.began_at = time.monotonic()
        self._has_written = False

    def _left(self) -> float:
        fenced = seconds_left()
        left = self.began_at + EXCHANGE_SECONDS - time.monotonic()
        return left if fenced is None else min(left, fenced)


class _BoundedAnswer(HTTPResponse):
    """An answer whose every read waits no longer than the whole exchange may."""

    def __init__(self, sock: socket.socket, *arguments: Any, left: Callable[[], float], **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock, left))


class _BoundedReader(io.RawIOBase):
    """The bytes of a socket, until the exchange is over."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock = sock
        self._stream = sock.makefile("rb", buffering=0)
        self._most = sock.gettimeout()
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._left()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left if self._most is None else min(left, self._most))
        return self._stream.readinto(buffer)  # pyright: ignore[reportAttributeAccessIssue]

    def close(self) -> None:
        self._stream.close()
        super().close()
