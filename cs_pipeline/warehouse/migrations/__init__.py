"""Alembic migrations of the `cs` schema; one file a step, SQL beside it."""
