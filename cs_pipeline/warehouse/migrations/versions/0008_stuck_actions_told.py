"""When operations were told of an action that goes no further without a person."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the column and the index."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
