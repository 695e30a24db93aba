"""An index for alerts: whether a rule was told of something before."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the index."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
