"""Find mail that says again what another mail said, for the contracts of an account that renew at about the same time.

Each contract has a play of its own, with its own opportunity and paperwork. What a customer reads about one of them is
not sent again about another within JOINED_WITHIN. Asked right before actions would be taken.
"""

from collections.abc import Hashable, Mapping
from datetime import timedelta

import pandas as pd

from cs_pipeline.plays.delivery.customer_mail import are_customer_mail
from cs_pipeline.plays.enrolment.play_store import PlayStore

JOINED_WITHIN = timedelta(days=30)


def joined(store: PlayStore, going: pd.DataFrame) -> list[int]:
    """Ids of the actions among `going` (columns of `due`, in the order in which they go out) that say it again.

    They are customers' mail of a play about a subscription, when the same step of the same playbook about another
    subscription has gone out, may have, or goes out before it.
    """
    mails = going[going["subject_id"].notna() & are_customer_mail(going)]
    if mails.empty:
        return []
    said = _said_lately(store, mails)
    again = []
    for mail in mails.to_dict("records"):
        subjects = said.setdefault(_what(mail), {})
        others = [due_at for subject_id, due_at in subjects.items() if subject_id != mail["subject_id"]]
        if any(abs(mail["due_at"] - due_at) <= JOINED_WITHIN for due_at in others):
            again.append(mail["action_id"])
        else:
            subjects[mail["subject_id"]] = mail["due_at"]
    return again


def _what(mail: Mapping[Hashable, object]) -> tuple[object, ...]:
    return mail["account_id"], mail["playbook"], mail["step"]


def _said_lately(store: PlayStore, mails: pd.DataFrame) -> dict[tuple[object, ...], dict[object, object]]:
    """When the steps of `mails` were due for each subscription of their accounts, as far as they went out."""
    said: dict[tuple[object, ...], dict[object, object]] = {}
    rows = store.mailed(mails["account_id"].unique().tolist(), mails["playbook"].unique().tolist())
    for account_id, playbook, step, subscription_id, due_at in rows.itertuples(index=False, name=None):
        said.setdefault((account_id, playbook, step), {})[subscription_id] = due_at
    return said
