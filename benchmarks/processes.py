"""Processes beside a benchmark: a step, whose memory is its own, and the provider of mails."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def run_step(environment: Mapping[str, str], name: str, *arguments: object) -> dict[str, Any]:
    """Run a step of `benchmarks.step`; what it printed. Raises SystemExit with its words when it fails."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.step", name, *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def answering() -> Iterator[str]:
    """The provider (`benchmarks.provider`); its address."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.provider"], stdout=subprocess.PIPE, text=True) as provider:
        try:
            yield provider.stdout.readline().strip()  # pyright: ignore[reportOptionalMemberAccess]
        finally:
            provider.kill()
