"""Contracts that contradict their account or themselves today, by name, for a person to correct at the source.

Nothing here changes what the marts say of them; docs/contracts.md tells what they say.
"""

from datetime import datetime

import pandas as pd
import psycopg2

from cs_pipeline.errors import UserError
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse

STALE_DAYS = 90
"""So long after its renewal date a term that still runs, and that somebody must sign, has a date that nobody moves."""
FEWEST_TERMS = 20
"""With fewer running terms than this, a share means nothing."""

COLUMNS = ("doubt", "account_id", "subscription_id", "words")

LEFT_AND_PAYS = "left_and_pays"
STALE_RENEWAL = "stale_renewal"
ENDS_EVERYWHERE = "ends_everywhere"

MEANINGS = {
    LEFT_AND_PAYS: "accounts have left by churned_at, and a paid contract of theirs runs",
    STALE_RENEWAL: f"contracts run {STALE_DAYS} days and more past the date on which somebody had to sign",
    ENDS_EVERYWHERE: "most running contracts have an ended_on ahead, so that none of them is up for renewal",
}
"""What a doubt says of the rows that have it."""

_SQL = read_sql(__file__)


def contract_doubts(warehouse: Warehouse, now: datetime) -> pd.DataFrame:
    """One row a doubt about the contracts as they are `now`: columns COLUMNS, ordered by doubt and account.

    `doubt` is one of MEANINGS; account_id and subscription_id are missing where it is about all contracts. Raises
    UserError when the marts are not built.
    """
    require_marts(warehouse, "fct_subscription_terms", "dim_accounts")
    parameters = {"now": now, "today": now.date(), "stale_days": STALE_DAYS, "fewest": FEWEST_TERMS}
    with warehouse.session() as session, session.cursor() as cursor:
        try:
            cursor.execute(_SQL, parameters)
        except psycopg2.errors.UndefinedColumn:
            raise UserError(
                "marts.fct_subscription_terms was built by an older version: run the weekly job or "
                "`cs-pipeline backfill`"
            ) from None
        return pd.DataFrame(cursor.fetchall(), columns=list(COLUMNS), dtype="object")
