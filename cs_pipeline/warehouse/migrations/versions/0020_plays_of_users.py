"""A play that writes to one user is one of its family for that user, not for the account."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the column, and let the index tell users apart."""
    op.get_bind().exec_driver_sql(SQL.read_text())


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
