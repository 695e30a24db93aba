"""The first tables of the `cs` schema: scores, changes, renewal windows, triggers, enrolments, the outbox."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered: a score history or an outbox is not thrown away by a command."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
