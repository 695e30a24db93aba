"""The services of deploy/docker-compose.yml as processes of this machine: their commands, environment and healthchecks.

What a container would give them is put in its place: folders, names of hosts, ports, the interpreter.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cs_pipeline.warehouse.embedded import free_port
from tests.conftest import ROOT

FILE = ROOT / "deploy" / "docker-compose.yml"
SCRIPTS = Path(sys.executable).parent
"""Where the image has its commands on PATH."""


def services() -> dict[str, dict[str, Any]]:
    """The services as compose reads them."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Machine:
    """Where the services run: `home` stands for the volume, `url` is the database."""

    home: Path
    url: str
    extra: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=lambda: {port: str(free_port()) for port in ("3000", "3001", "4000")})

    def __post_init__(self) -> None:
        workspace = yaml.safe_load((ROOT / "deploy" / "workspace.grpc.yaml").read_text(encoding="utf-8"))
        server = workspace["load_from"][0]["grpc_server"]
        assert server["host"] in services()
        server |= {"host": "127.0.0.1", "port": int(self.ports[str(server["port"])])}
        (self.home / "workspace.grpc.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")

    def here(self, words: str) -> str:
        """A word of the file as it is on this machine."""
        words = words.replace("/opt/cs_pipeline/project", str(self.home)).replace(
            "/var/lib/cs_pipeline", str(self.home)
        )
        words = re.sub(r"^postgresql://.*@postgres:5432/cs_pipeline$", lambda _: self.url, words)
        words = words.replace("0.0.0.0", "127.0.0.1")
        for port, instead in self.ports.items():
            words = re.sub(rf"\b{port}\b", instead, words)
        return words

    def command(self, words: Sequence[str]) -> list[str]:
        """A command, by the interpreter and the scripts of this environment."""
        program, *arguments = [self.here(word) for word in words]
        return [sys.executable if program == "python" else str(SCRIPTS / program), *arguments]

    def environment(self, service: str) -> dict[str, str]:
        """What the file gives a service, and nothing of ours but where the code is."""
        given = {name: self.here(str(value)) for name, value in services()[service]["environment"].items()}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(ROOT), **given, **self.extra}

    def once(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run a service to its end."""
        return subprocess.run(
            self.command(services()[service]["command"]),
            env=self.environment(service), cwd=self.home, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @contextmanager
    def running(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        """Within, a service runs; its log is in the home folder. It is stopped as compose stops it."""
        with self.log(service).open("ab") as log:
            process = subprocess.Popen(
                self.command(services()[service]["command"]),
                env=self.environment(service), cwd=self.home, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                if service != "code-server":  # Dagster's own did not end once; compose kills it after this time
                    raise
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def log(self, service: str) -> Path:
        """What a service has said."""
        return self.home / f"{service}.log"

    def is_healthy(self, service: str) -> bool:
        """What its healthcheck says, which costs seconds: not before the service listens, if it does."""
        kind, *words = services()[service]["healthcheck"]["test"]
        assert kind == "CMD"
        for port, here in self.ports.items():
            if re.search(rf"\b{port}\b", " ".join(words)) and not listens(int(here)):
                return False
        done = subprocess.run(
            self.command(words), env=self.environment(service), cwd=self.home, capture_output=True, check=False
        )
        return done.returncode == 0
