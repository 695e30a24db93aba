"""Several models side by side, overrides, held scores, parents, and what was loaded when a week was scored."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the tables and columns."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered: a score history is not thrown away by a command."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
