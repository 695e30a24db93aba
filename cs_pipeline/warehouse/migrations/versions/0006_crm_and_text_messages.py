"""What connected CRMs say of their tasks, one view of all tasks, and channels for text messages and webhooks."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Create the table and the view, allow the channels."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
