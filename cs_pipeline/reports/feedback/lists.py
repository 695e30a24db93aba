"""The list of what customers said and to whom it was handed on. Reads only."""

from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.sql_files import read_sql


def feedback_list(
    session: Session,
    *,
    rule: str | None = None,
    to: str | None = None,
    account: str | None = None,
    is_triage: bool = False,
    since: datetime | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """What was handed on, the newest first. `rule` is one that matched, whether or not it was the first.

    Columns: item, said_at, account_id, account_name, tier, arr, kind, question, feature, priority, rule (None in
    triage), matched, to, words, asked_by (the step that asked, by playbook and step), routed_at, assigned_by, actions.
    Raises UserError while the marts are not built.
    """
    return ask_marts(
        session,
        read_sql(__file__),
        {"rule": rule, "to": to, "account": account, "is_triage": is_triage, "since": since, "limit": limit},
        who_needs="Feedback needs",
    )


def feedback_table(found: pd.DataFrame) -> pd.DataFrame:
    """The list for people: the columns that say what to do."""
    return pd.DataFrame(
        {
            "item": found["item"],
            "said": [moment.date() for moment in found["said_at"]],
            "account": found["account_name"].fillna(found["account_id"]),
            "tier": found["tier"],
            "priority": found["priority"],
            "rule": found["rule"].fillna("triage"),
            "to": [", ".join(names) for names in found["to"]],
            "about": found["feature"],
            "words": found["words"].fillna("").str.slice(0, 80),
        },
        dtype="object",
    )
