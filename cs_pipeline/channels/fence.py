"""Fence a call of a channel: once the lease of its actions has ended, nothing that it does reaches a provider.

A process can be stopped between any two instructions (SIGSTOP, a paused machine) and go on when another worker has
taken over. So the clock is one that runs meanwhile, and the kernel enforces its end:

- from SENDS_FOR on, no exchange begins and none goes on (`exchange` asks `seconds_left` before each of its steps);
- at LIVES_FOR, the kernel kills the process, running or stopped. A check in the process itself always leaves an
  instruction between it and the write.

How long a lease is, and what happens after it, is in `plays.outbox.queue` and `plays.outbox.uncertain`.
"""

import ctypes
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Self

SENDS_FOR = 60.0  # seconds from before the claim
LIVES_FOR = 90.0  # shorter than `plays.outbox.queue.LEASE`: a test holds that

MOST_AT_ONCE = 1_000 if sys.platform == "linux" else 1  # elsewhere a process has one timer

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # runs while the process, or the machine, is stopped
_ABSOLUTE = 1  # TIMER_ABSTIME
_around: "ContextVar[Fence | None]" = ContextVar("fence", default=None)


@dataclass(frozen=True)
class Fence:
    """Until when, on the clock of the kernel, a call may send, and its process may live."""

    sends_until: float
    lives_until: float

    @classmethod
    def begin(cls) -> Self:
        """A fence from now on: ask for it before the lease is taken, so that it never ends after the lease."""
        now = time.clock_gettime(_CLOCK)
        return cls(now + SENDS_FOR, now + LIVES_FOR)

    @property
    def is_over(self) -> bool:
        """Whether nothing may be sent any more."""
        return time.clock_gettime(_CLOCK) >= self.sends_until

    @contextmanager
    def around(self) -> Iterator[None]:
        """Let it hold for what is called within: `seconds_left` tells, and the kernel ends what outlives it."""
        token = _around.set(self)
        try:
            with _killed_at(self.lives_until):
                yield
        finally:
            _around.reset(token)


def seconds_left() -> float | None:
    """For how long the call that is under way may still send: 0 or less when it is over, None where none is fenced."""
    fence = _around.get()
    return None if fence is None else fence.sends_until - time.clock_gettime(_CLOCK)


class _Event(ctypes.Structure):
    """`struct sigevent` of Linux, 64 bytes."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal_number", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("padding", ctypes.c_char * 48),
    )


class _Moment(ctypes.Structure):
    """`struct timespec`."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

    @classmethod
    def at(cls, moment: float) -> Self:
        return cls(int(moment), int(moment % 1 * 1_000_000_000))


class _Setting(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = (("interval", _Moment), ("first", _Moment))


@cache
def _libc() -> ctypes.PyDLL:
    """The C library. Its timers are set at once: to let go of Python's lock meanwhile would be to wait for it again."""
    return ctypes.PyDLL(None, use_errno=True)


@contextmanager
def _killed_at(moment: float) -> Iterator[None]:
    """The kernel kills this process at `moment` unless the block has ended.

    SIGKILL reaches a stopped process as well. Elsewhere than on Linux there is no such timer; SIGALRM, whose default is
    to end the process, is delivered before a continued process runs its next instruction.
    """
    if sys.platform != "linux":
        signal.setitimer(signal.ITIMER_REAL, max(moment - time.clock_gettime(_CLOCK), 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return
    libc = _libc()
    timer = ctypes.c_void_p()
    event = _Event(None, signal.SIGKILL, 0, b"")  # 0: SIGEV_SIGNAL
    if libc.timer_create(_CLOCK, ctypes.byref(event), ctypes.byref(timer)) != 0:
        raise OSError(ctypes.get_errno(), "the kernel gives no timer for the fence around a delivery")
    try:
        setting = _Setting(_Moment(0, 0), _Moment.at(moment))
        if libc.timer_settime(timer, _ABSOLUTE, ctypes.byref(setting), None) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not set the timer of the fence around a delivery")
        yield
    finally:
        libc.timer_delete(timer)
