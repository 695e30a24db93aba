"""The accounts of a replay: their codes, when they left, and how many there were at a moment."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.audience import ACCOUNTS
from cs_pipeline.alerts.fired import copied_table
from cs_pipeline.alerts.replay_arrays import ALWAYS, Ints, micros
from cs_pipeline.warehouse.relations import missing_relations

_NOBODY = np.empty(0, np.int64)


class ReplayBook:
    """Codes from 0 of accounts, in the order in which rules speak of them, and of '', that of rules about none.

    `accounts`: their ids. `left_at`: when each left, ALWAYS for one that has not.
    """

    def __init__(self, accounts: Sequence[str] = (), created: Ints = _NOBODY, left: Ints = _NOBODY) -> None:
        """Of every account there is its id, when it signed up, and when it left, ALWAYS for what is not known."""
        self._created, self._left = np.sort(created[created != ALWAYS]), np.sort(np.maximum(created, left))
        has_left = np.flatnonzero(left != ALWAYS).tolist()
        self._left_of = {accounts[number]: int(left[number]) for number in has_left}
        self._codes: dict[str, int] = {}
        self.accounts: list[str] = []
        self.left_at: Ints = _NOBODY

    def size(self, moment: datetime) -> int:
        """Accounts that had signed up by then, and had not left."""
        then = micros(moment)
        return int(np.searchsorted(self._created, then, "right") - np.searchsorted(self._left, then, "right"))

    def codes(self, accounts: pa.ChunkedArray) -> Ints:
        """The codes of these ids, with new ones for those that are new."""
        written = accounts.combine_chunks().dictionary_encode()
        codes, known = self._codes, len(self._codes)
        of_written = np.array([codes.setdefault(each, len(codes)) for each in written.dictionary.to_pylist()], np.int64)
        if len(codes) > known:
            new = [each for each in written.dictionary.to_pylist() if codes[each] >= known]
            self.accounts += new
            self.left_at = np.r_[self.left_at, [self._left_of.get(each, ALWAYS) for each in new]].astype(np.int64)
        return of_written[written.indices.to_numpy()]


def read_replay_book(session: Session) -> ReplayBook:
    """The accounts that there are; none before the models are built."""
    if missing_relations(session, ACCOUNTS):
        return ReplayBook()
    table = copied_table(
        session,
        f"""
        select
            account_id,
            cast(date_part('epoch', created_at) * 1000000 as bigint) as created_at,
            cast(date_part('epoch', churned_at) * 1000000 as bigint) as churned_at
        from {ACCOUNTS}
        where account_id is not null
        """,
        {"account_id": pa.string(), "created_at": pa.int64(), "churned_at": pa.int64()},
    )
    created, left = (table[name].fill_null(ALWAYS).to_numpy() for name in ("created_at", "churned_at"))
    return ReplayBook(table["account_id"].to_pylist(), created, left)
