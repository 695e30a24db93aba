"""Brings the `cs` schema to the newest version; safe to call at every start and from several processes at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cs_pipeline.warehouse.connection import Warehouse

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 7_420_001  # any constant of ours: one migration at a time


def migrate(warehouse: Warehouse) -> None:
    """Apply what is missing, in one transaction, holding an advisory lock."""
    with warehouse.session():
        pass  # the clear error for an unreachable server comes from here
    engine = create_engine(warehouse.url.replace("postgresql://", "postgresql+psycopg2://", 1), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("create schema if not exists cs"))
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
