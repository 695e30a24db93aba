"""Scores of parent accounts: the roll-up of their children's scores that count, by ARR or as their mean.

What the model of the children says (`roll_up`) decides; children under different models are rolled up apart.
"""

from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.history.weeks import execute
from cs_pipeline.sql_files import read_sql


def roll_up_parents(connection: Connection, week: date) -> None:
    """Replace the week's rows of cs.parent_scores by those of the scores that count now."""
    execute(connection, "delete from cs.parent_scores where week = $1::date", [week.isoformat()])
    # The week's scores were written in this transaction: the planner expects none of them, and would loop over all.
    execute(connection, "set local enable_nestloop = off")
    execute(connection, read_sql(__file__), [week.isoformat()])
    execute(connection, "set local enable_nestloop = on")
