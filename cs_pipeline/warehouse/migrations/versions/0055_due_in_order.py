"""Keep what is due in the order in which it is taken: a batch of it cost more, the more was due."""

from pathlib import Path

from alembic import op

revision = "0055"
down_revision = "0054"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Change the indexes."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
