"""Start, find and stop the services of `up`, each with a pid file and a log in the home folder."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import keep_short, make_private
from cs_pipeline.warehouse.living import start_of

STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Service:
    """A long-running process of ours. `arguments` follow the Python interpreter."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Processes:
    """Starts and stops services whose pids and logs live in `home`."""

    home: Path

    def log(self, service: str) -> Path:
        """Where a service writes what it has to say."""
        return self.home / "logs" / f"{service}.log"

    def pid(self, service: str) -> int | None:
        """Pid of a running service; None when it is not running."""
        known = self._known(service)
        return known[0] if known and _runs(*known) else None

    def is_wanted(self, service: str) -> bool:
        """Whether it was started and nobody has stopped it since; it may have ended by itself."""
        return self._pid_file(service).exists()

    def start(self, service: Service, environment: dict[str, str]) -> None:
        """Start a service in a session of its own, unless it runs already."""
        if self.pid(service.name) is not None:
            return
        make_private(self.log(service.name).parent)
        make_private(self._pid_file(service.name).parent)
        keep_short(self.log(service.name))
        with self.log(service.name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *service.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self._pid_file(service.name).write_text(f"{process.pid} {start_of(process.pid)}")

    def stop(self, service: str) -> bool:
        """Ask a service to end, and end it after a while; False when it was not running."""
        known = self._known(service)
        self._pid_file(service).unlink(missing_ok=True)
        if known is None or not _runs(*known):
            return False
        pid = known[0]
        os.killpg(pid, signal.SIGTERM)  # with the code servers that Dagster started
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(*known) and time.monotonic() < deadline:
            time.sleep(0.1)
        if _runs(*known):
            os.killpg(pid, signal.SIGKILL)
        return True

    def require(self, service: str) -> None:
        """Raise UserError, with the last line of its log, when a service has ended."""
        if self.pid(service) is None:
            lines = self.log(service).read_text(errors="replace").strip().splitlines()[-1:]
            raise UserError(
                f"The {service} ended right after its start: {lines[0] if lines else 'no output'}. "
                f"Its log is {self.log(service)}"
            )

    def _known(self, service: str) -> tuple[int, int] | None:
        """Pid and start of the process that was started last: pids are used again."""
        try:
            pid, started = self._pid_file(service).read_text().split()
            return int(pid), int(started)
        except (FileNotFoundError, ValueError):
            return None

    def _pid_file(self, service: str) -> Path:
        return self.home / "run" / f"{service}.pid"


def _runs(pid: int, started: int) -> bool:
    """True when the process that got `pid` then lives still."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that ended would stay as a zombie
    return start_of(pid) == started
