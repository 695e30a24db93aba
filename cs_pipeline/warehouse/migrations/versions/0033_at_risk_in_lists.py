"""Who is at risk in the list of accounts, and indexes of the lists of alerts."""

from pathlib import Path

from alembic import op

revision = "0033"
down_revision = "0032"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the column, as of the week that the list is of, and the indexes."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
