"""The columns that lists and pages of alerts share: an alert, its account, and what was decided about it."""

from cs_pipeline.sql_files import read_sql


def alert_rows(alerts_with_accounts: str, shown: str = "true", *, order: str) -> str:
    """A query for alerts; it takes the values `now` and `limit` (None: all).

    `alerts_with_accounts`: what stands after `from`, with cs.alerts as `alerts`, and as `accounts` a row or none with
    account_name, owner_email and arr. `shown`: the condition.
    """
    return read_sql(__file__, alerts_with_accounts=alerts_with_accounts, shown=shown, order=order)
