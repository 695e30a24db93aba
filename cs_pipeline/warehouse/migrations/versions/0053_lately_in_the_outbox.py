"""Find what lately happened in the outbox: to know it, each delivery read all actions and messages there ever were."""

from pathlib import Path

from alembic import op

revision = "0053"
down_revision = "0052"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the indexes."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
