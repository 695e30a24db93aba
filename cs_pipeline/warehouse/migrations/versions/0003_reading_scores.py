"""How consumers read scores: those that count, or those of one version of one model."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the view and the function."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
