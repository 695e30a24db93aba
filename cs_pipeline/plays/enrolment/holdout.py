"""Hold a fixed share of accounts out of a playbook, the same for ever, so that its uplift can be measured.

An account is held out where it would have been enrolled, and is a row that says so. As nothing is planned for it, every
channel honours that.
"""

import hashlib

import pandas as pd

from cs_pipeline.plays.playbooks.schema import Playbook


def held_out(playbook: Playbook, account_ids: pd.Series) -> pd.Series:
    """Whether each account is held out of `playbook`. Another version of it, or a larger share, keeps who was."""
    if not playbook.hold_out:
        return pd.Series(False, index=account_ids.index)
    places = [_place(playbook.playbook, str(account_id)) for account_id in account_ids]
    return pd.Series(places, index=account_ids.index, dtype="float64") < playbook.hold_out


def _place(playbook: str, account_id: str) -> float:
    """From 0 to below 1, evenly over accounts, and unlike from playbook to playbook."""
    return int.from_bytes(hashlib.sha256(f"{playbook}\n{account_id}".encode()).digest()[:8]) / 2**64
