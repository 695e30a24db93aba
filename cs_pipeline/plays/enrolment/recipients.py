"""Resolve the recipient of an action from its role, with fallbacks.

Nobody is named in code or playbook (C-37, C-39). Whether the person may be written to belongs to `delivery.guards`.
"""

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES, USER
from cs_pipeline.sql_files import read_sql

_RESOLVE = read_sql(__file__)


def resolve(session: Session, wanted: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Recipients of `wanted` (columns account_id, role, channel, user_id), with its index.

    `user_id` is the user whom the play is about: of the role `user` that one gets it, or nobody.

    Columns: recipient (address or Slack channel; None when there is nobody), recipient_user_id, contact_name.
    """
    parameters = {
        "positions": list(range(len(wanted))),
        "account_ids": wanted["account_id"].tolist(),
        "roles": wanted["role"].tolist(),
        "channels": wanted["channel"].tolist(),
        "user_ids": wanted["user_id"].tolist(),
        "user_role": USER,
        "customer_roles": list(CUSTOMER_ROLES),
        "team_channels": [name for name, kind in KINDS.items() if kind.falls_back_to_team],
        "legal_email": as_of.settings.legal_email,
        "team_channel": as_of.settings.team_channel,
        "sales_channel": as_of.settings.sales_channel,
        "now": as_of.now,
        "today": as_of.now.date(),
    }
    with session.cursor() as cursor:
        cursor.execute(_RESOLVE, parameters)
        rows = cursor.fetchall()
    columns = ["position", "recipient", "recipient_user_id", "contact_name"]
    found = pd.DataFrame(rows, columns=columns, dtype="object").drop(columns="position")
    found.index = wanted.index
    return found.where(found.notna(), None)
