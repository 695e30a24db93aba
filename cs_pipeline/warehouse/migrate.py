"""Bring the `cs` schema to the newest version; safe to call at every start and from several processes at once."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cs_pipeline.warehouse.advisory_locks import AdvisoryLock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.refusals import refusals_in_words
from cs_pipeline.warehouse.relations import missing_relations

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
    """Apply what is missing, in one transaction, holding an advisory lock.

    Raises UserError when the server cannot be reached, and DatabaseRefusal for what the role or the server may not.
    """
    engine = create_engine("postgresql+psycopg2://", creator=warehouse.connect, poolclass=NullPool)
    with refusals_in_words(warehouse.location), engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": AdvisoryLock.MIGRATION.value})
        for name in ("cs", "raw"):
            if connection.execute(text("select to_regnamespace(:name) is null"), {"name": name}).scalar():
                connection.execute(text(f"create schema {name}"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest, "there are migrations"
    return newest


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
