"""Count who is in each play and who is held out: to show it, a page read all enrolments there ever were."""

from pathlib import Path

from alembic import op

revision = "0054"
down_revision = "0053"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add the index."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
