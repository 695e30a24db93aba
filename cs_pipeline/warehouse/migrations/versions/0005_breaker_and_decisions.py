"""Circuit breaker trips, what people decided about actions, and an index for frequency caps."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the tables and the index."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
