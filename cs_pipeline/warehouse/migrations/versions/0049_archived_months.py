"""Which months of events were put away into files."""

from pathlib import Path

from alembic import op

revision = "0049"
down_revision = "0048"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the table."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
