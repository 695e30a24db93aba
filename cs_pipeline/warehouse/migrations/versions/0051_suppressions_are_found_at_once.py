"""Find suppressed addresses once for all that are asked: for each of a thousand it looked through all of them."""

from pathlib import Path

from alembic import op

revision = "0051"
down_revision = "0050"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Replace the function."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
