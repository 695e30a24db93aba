"""Frequency caps in a simulation: mails beyond what a person or an account gets from Monday to Sunday.

The real thing (`delivery.throttling`) counts any seven days; whole weeks are as near as a simulation by weeks comes.
"""

import pandas as pd

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.settings import Settings


def beyond_caps(taken: pd.DataFrame, settings: Settings) -> pd.Index:
    """Rows of a week's actions (in the order in which they go out) for which there is no room."""
    mails = taken[taken["channel"].isin(CUSTOMER_CHANNELS) & taken["role"].isin(CUSTOMER_ROLES)]
    place_for_person = mails.groupby(mails["recipient"].str.lower()).cumcount()
    has_room = mails[place_for_person < settings.mails_per_person]
    place_for_account = has_room.groupby("account_id").cumcount()
    return mails.index.difference(has_room.index[place_for_account < settings.mails_per_account], sort=False)
