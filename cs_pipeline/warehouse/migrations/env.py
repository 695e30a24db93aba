"""Alembic's entry point: runs on the connection that `warehouse.migrate` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="migrations", version_table_schema="cs")
with context.begin_transaction():
    context.run_migrations()
