"""Channels that take nothing for a while, and what operations are told, as actions of the outbox."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the tables and columns."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
