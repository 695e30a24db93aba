"""Which long-lived processes are at work on this database."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the table."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
