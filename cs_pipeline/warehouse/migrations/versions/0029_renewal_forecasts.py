"""Renewal forecasts without a history, and calls of CSMs about one renewal date."""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Change the tables."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
