"""Indexes of the lists of a day: open alerts by severity, actions to approve, open tasks."""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the indexes."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
