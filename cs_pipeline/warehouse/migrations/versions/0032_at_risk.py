"""Whom a score calls at risk."""

from pathlib import Path

from alembic import op

revision = "0032"
down_revision = "0031"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Let the score that counts say it."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
