"""Wait for what another process brings about."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest


def wait_until(what: str, patience: timedelta, is_so: Callable[[], bool], why: Callable[[], str] = str) -> None:
    """Ask every second; fail, with `why` for whoever reads it, when it does not come about in time."""
    deadline = time.monotonic() + patience.total_seconds()
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about within {patience}\n{why()}")
        time.sleep(1)
