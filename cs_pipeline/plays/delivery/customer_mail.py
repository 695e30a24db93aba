"""Tell mail to customers from other actions: e-mail and texts, to somebody of the customer's.

Hours, caps, the wish for no more mail, and the order of steps hold for all of it alike. The same in SQL is bound from
CUSTOMER_CHANNELS and CUSTOMER_ROLES by the statements that ask it of the outbox.
"""

import pandas as pd

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES


def is_customer_mail(channel: str, role: str) -> bool:
    """Whether an action on `channel` for `role` is mail to a customer."""
    return channel in CUSTOMER_CHANNELS and role in CUSTOMER_ROLES


def are_customer_mail(actions: pd.DataFrame) -> pd.Series:
    """`is_customer_mail` of each row (columns channel and role)."""
    return actions["channel"].isin(CUSTOMER_CHANNELS) & actions["role"].isin(CUSTOMER_ROLES)
