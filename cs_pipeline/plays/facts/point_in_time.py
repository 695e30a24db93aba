"""Read facts of accounts as of a past week: those that `query` computes for the moment, with what the week's row holds.

`query` asked about the past already looks no further than the moment, except for what `marts.dim_accounts` holds as
it is today. Of that, the week's own row is taken where it has it. What no table keeps the past of stays today's: the
manager, the executive, the channel.
"""

from datetime import date

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf, facts_column

OF_THE_WEEK = ("tier", "plan", "owner_email", "mrr", "arr", "seats", "is_bad_fit")


def as_of_week(session: Session, today: pd.DataFrame, account_ids: pd.Series, week: date, as_of: AsOf) -> pd.DataFrame:
    """`today` (facts, a row for each of `account_ids`) with the OF_THE_WEEK facts of `week`, where it has them."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select account_id, {", ".join(OF_THE_WEEK)}
            from marts.fct_account_weeks
            where week = %s and account_id = any(%s::text[])
            """,
            [week, account_ids.unique().tolist()],
        )
        rows = pd.DataFrame(cursor.fetchall(), columns=["account_id", *OF_THE_WEEK], dtype="object")
    then = rows.set_index("account_id").reindex(account_ids).set_axis(today.index)
    columns = {
        name: facts_column(then[name]).where(then[name].notna(), facts_column(today[name])).astype(today[name].dtype)
        for name in OF_THE_WEEK
    }
    is_high_value = (columns["arr"] > as_of.settings.high_value_arr).astype("boolean")
    return today.assign(**columns, is_high_value=is_high_value)


def read_as_of_week(session: Session, cases: pd.DataFrame, week: date, as_of: AsOf) -> pd.DataFrame:
    """`facts.read`, as of a week that has just ended at `as_of.now`."""
    return as_of_week(session, facts.read(session, cases, as_of), cases["account_id"], week, as_of)
