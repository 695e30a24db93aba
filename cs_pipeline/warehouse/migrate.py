"""Bring the `cs` schema to the newest version; safe to call at every start and from several processes at once.

All migrations are one transaction. What takes long on a large database, a migration does before it, in a function
`prepare`: it is given a session that commits each statement, does nothing that the code of before could not live with,
and passes over what an interrupted one has done.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, try_lock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.refusals import refusals_in_words
from cs_pipeline.warehouse.relations import missing_relations

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

ASKED_EVERY = 0.1  # seconds
SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Version:
    """Which version a schema has, None where there is none yet, and which this code needs."""

    current: str | None
    newest: str

    @property
    def is_newest(self) -> bool:
        """Whether nothing is to be applied."""
        return self.current == self.newest


def migrate(warehouse: Warehouse) -> None:
    """Apply what is missing, holding an advisory lock: what takes long first, then the rest in one transaction.

    Raises UserError when the server cannot be reached, and DatabaseRefusal for what the role or the server may not.
    """
    from alembic import command
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine("postgresql+psycopg2://", creator=warehouse.connect, poolclass=NullPool)
    _prepare(warehouse)
    with refusals_in_words(warehouse.location), engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": AdvisoryLock.MIGRATION.value})
        for name in ("cs", "raw"):
            if connection.execute(text("select to_regnamespace(:name) is null"), {"name": name}).scalar():
                connection.execute(text(f"create schema {name}"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare(warehouse: Warehouse) -> None:
    """Do what the migrations to come do before their transaction."""
    version = version_of(warehouse)
    if version.current is None or version.is_newest:
        return
    scripts = _scripts().iterate_revisions("head", version.current)
    steps = [script.module.prepare for script in scripts if hasattr(script.module, "prepare")]
    if not steps:
        return
    with (
        refusals_in_words(warehouse.location),
        closing(warehouse.connect()) as turn,
        closing(warehouse.connect()) as session,
    ):
        _wait_for_turn(turn)
        session.autocommit = True
        for prepare in reversed(steps):
            prepare(session)


def _wait_for_turn(session: Session) -> None:
    """Hold the lock until the session ends. It is asked for again and again: who waits for it within a statement is
    waited for by who has it and builds an index while others write, and so for ever.
    """
    with session.cursor() as cursor:
        while not try_lock(cursor, AdvisoryLock.MIGRATION_PREPARED):
            time.sleep(ASKED_EVERY)


def version_of(warehouse: Warehouse) -> Version:
    """Which version the `cs` schema has, and which it should have. Changes nothing."""
    with warehouse.session() as session, session.cursor() as cursor:
        current = None
        if not missing_relations(session, "cs.migrations"):
            cursor.execute("select max(version_num) from cs.migrations")
            (current,) = cursor.fetchone() or (None,)
    return Version(current, _newest())


@cache
def _newest() -> str:
    """Of this code: a probe asks again and again, and to find out is to import every migration."""
    newest = _scripts().get_current_head()
    assert newest, "there are migrations"
    return newest


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
