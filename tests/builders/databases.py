"""The PostgreSQL server of a test session and its databases: fresh ones, copies, and those that are made once for all.

The workers of a session share one server, so that what takes minutes to make, such as a scored history, is made by
whichever worker asks first, and copied by all.
"""

import fcntl
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer
from cs_pipeline.warehouse.migrate import migrate
from tests.builders import citus
from tests.builders.kept_sessions import let_go

FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "wal_level": "minimal"}
FLEETING |= {"max_wal_senders": "0", "max_connections": "300"}
"""Settings of a server whose data nobody will miss."""


OF_THIS_DATABASE = "database = (select oid from pg_database where datname = current_database())"
"""Of `pg_locks`: those of other tests' databases are there, too."""
IN_MEMORY = Path("/dev/shm")
ROOM_IN_MEMORY = 6 * 1024**3
"""Bytes that must be free there: about three times what the databases of a whole session come to."""


def make_session_folder() -> Path:
    """A new folder for what the workers share, in memory where there is room: to copy a database is to make 900 files,
    which a disk takes twenty times as long for.

    Whoever runs the server, nobody where we are root, may enter it.
    """
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM_IN_MEMORY
    folder = Path(tempfile.mkdtemp(prefix="cs_pipeline_tests_", dir=IN_MEMORY if has_room else None))
    folder.chmod(0o755)
    return folder


def embedded_server(folder: Path) -> EmbeddedServer:
    """The server of a session, in the folder that its workers share.

    It asks for no password: to check one takes as long as all else of a connection, of which tests open thousands.
    """
    access = folder / "pg_hba.conf"
    access.write_text("host all all 127.0.0.1/32 trust\n")
    return EmbeddedServer(folder / "server", FLEETING | {"hba_file": str(access)})


@contextmanager
def one_worker_at_a_time(file: Path) -> Iterator[None]:
    """Whoever else asks for this file waits; a worker that dies lets go of it."""
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Databases:
    """Databases on the server at `url`. `shared` is a folder of the session, the same for all workers."""

    url: str
    shared: Path

    @cached_property
    def workers(self) -> list[citus.Server]:
        """The other servers on which each database is, where the server is the coordinator of a Citus."""
        return citus.workers_of(self.url)

    def create(self, template: str | None = None) -> Warehouse:
        """A database of a new name, empty or a copy of `template`."""
        if template:
            let_go(template)
        name = f"test_{uuid.uuid4().hex[:12]}"
        if self.workers:
            # With a server come its roles, which two databases that get it at once would both write there.
            with nullcontext() if template else one_worker_at_a_time(self.shared / "servers.lock"):
                citus.create_everywhere(self.url, self.workers, name, template)
        else:
            self._execute(f"create database {name}" + (f" template {template} strategy file_copy" if template else ""))
        return Warehouse(self.url.rsplit("/", 1)[0] + f"/{name}")

    def migrate(self, warehouse: Warehouse) -> None:
        """The `cs` schema, spread over the servers where they are several."""
        migrate(warehouse)
        if self.workers:
            citus.spread(warehouse, self.workers)

    def drop(self, warehouse: Warehouse) -> None:
        """Remove a database, whoever still reads it."""
        if self.workers:
            citus.drop_everywhere(self.url, self.workers, warehouse.database)
        else:
            self._execute(f"drop database if exists {warehouse.database} with (force)")

    def made_once(self, name: str, make: Callable[[Warehouse], object], template: Warehouse | None = None) -> Warehouse:
        """A database, or a copy of `template`, that the first worker of the session to ask for it fills, by `make`.

        To copy from only.
        """
        made = self.shared / f"{name}.made"
        with one_worker_at_a_time(self.shared / f"{name}.lock"):
            if not made.exists():
                warehouse = self.create(template and template.database)
                make(warehouse)
                let_go(warehouse.database)
                made.write_text(warehouse.url)
        return Warehouse(made.read_text())

    def drop_made(self) -> None:
        """Remove what was made once for the session, from a server that outlives it."""
        for made in self.shared.glob("*.made"):
            self.drop(Warehouse(made.read_text()))

    def _execute(self, statement: str) -> None:
        with self._server.cursor() as cursor:
            cursor.execute(statement)

    @cached_property
    def _server(self) -> Session:
        """Every test makes a database, or several."""
        session = psycopg2.connect(self.url)
        session.autocommit = True
        return session


@contextmanager
def nobody_let_in(warehouse: Warehouse, server: str) -> Iterator[None]:
    """Within, `warehouse` refuses every connection, as a database that is away does. `server` is its server's URL."""
    let_go(warehouse.database)
    allow = f"alter database {warehouse.database} allow_connections "
    with Warehouse(server).session() as session, session.cursor() as cursor:
        cursor.execute(allow + "false")
    yield
    with Warehouse(server).session() as session, session.cursor() as cursor:
        cursor.execute(allow + "true")
