"""Bring the `cs` schema to the newest version; safe to call at every start and from several processes at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cs_pipeline.warehouse.advisory_locks import AdvisoryLock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.refusals import refusals_in_words

SCRIPTS = Path(__file__).parent / "migrations"


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
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
