"""One spelling for each mailbox, and who gets no mail, by address and not by row."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the functions and the indexes they need."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
