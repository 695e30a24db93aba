"""The likelihood of leaving beside the score: what became of accounts by score, and what is stated of it."""

from pathlib import Path

from alembic import op

revision = "0041"
down_revision = "0040"

SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Add both tables, and the likelihood to the scores that count."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
