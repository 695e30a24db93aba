"""Look up outcomes of the accounts that a simulation enrolled: recovered, left, and left without any contact.

That is what happened without the play, so it says where there is something to win, not what would be won.
"""

from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.sql_files import read_sql

RECOVERS_WITHIN = timedelta(weeks=8)
LEAVES_WITHIN = timedelta(days=90)

_OUTCOMES = read_sql(__file__)


def outcomes(session: Session, enrolments: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """For each enrolment of a simulation (its index): has_recovered, has_left, left_untouched.

    Missing where the account was well to begin with (has_recovered), and where the time to tell is not over at `now`.
    `left_untouched`: no meeting was held with it and nothing was sent to it between then and leaving.
    """
    since = enrolments["enrolled_at"].tolist()
    with session.cursor() as cursor:
        cursor.execute(
            _OUTCOMES,
            {
                "enrolments": enrolments.index.tolist(),
                "account_ids": enrolments["account_id"].tolist(),
                "since": since,
                "recovers_days": RECOVERS_WITHIN.days,
                "leaves_within": LEAVES_WITHIN,
                "now": now,
            },
        )
        columns = ["enrolment", "has_recovered", "has_left", "left_untouched"]
        found = pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object").set_index("enrolment")
    found = found.reindex(enrolments.index).astype("boolean").fillna(False)
    was_unwell = pd.Series([value is not None and value > 0 for value in enrolments["severity"]], enrolments.index)
    is_old = pd.Series([each + LEAVES_WITHIN <= now for each in since], enrolments.index, dtype="bool")
    # A week's score is there when the week is over.
    is_scored = pd.Series([each + RECOVERS_WITHIN <= now for each in since], enrolments.index, dtype="bool")
    return pd.DataFrame(
        {
            "has_recovered": found["has_recovered"].mask(~(was_unwell & is_scored)),
            "has_left": found["has_left"].mask(~is_old),
            "left_untouched": found["left_untouched"].mask(~is_old),
        }
    )
