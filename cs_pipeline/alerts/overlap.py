"""Say which rules speak of the same accounts at the same time. Pure.

A state rule speaks of an account in every week in which an alert of it stood, an event rule in the week it fired.
"""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cs_pipeline.alerts.replay import Replay

COLUMNS = ("rule", "other", "account_weeks", "other_account_weeks", "both", "jaccard")


def overlap(replayed: Replay) -> pd.DataFrame:
    """Each pair of rules that speak of an account in the same week, both ways round; most alike first.

    Columns COLUMNS: account_weeks of the rule, of the other, of both, and their Jaccard index (Jaccard 1912): both over
    either, 1 for two rules that always speak together.
    """
    names = list(replayed.rules)
    spoken = _account_weeks(replayed)
    column = pd.factorize(spoken["account_week"])[0]
    shape = (len(names), int(column.max(initial=-1)) + 1)
    speaks = csr_matrix((np.ones(len(spoken), np.int64), (spoken["rule"].to_numpy(int), column)), shape=shape)
    together = (speaks @ speaks.T).tocoo()
    size = np.asarray(speaks.sum(axis=1)).ravel()
    is_pair = together.row != together.col
    one, other, both = together.row[is_pair], together.col[is_pair], together.data[is_pair]
    found = pd.DataFrame(
        {
            "rule": np.array(names, object)[one],
            "other": np.array(names, object)[other],
            "account_weeks": size[one],
            "other_account_weeks": size[other],
            "both": both,
            "jaccard": both / (size[one] + size[other] - both),
        },
        columns=list(COLUMNS),
    )
    return found.sort_values(["rule", "jaccard", "other"], ascending=[True, False, True], ignore_index=True)


def _account_weeks(replayed: Replay) -> pd.DataFrame:
    """Number of the rule, and account and week in one number, once each."""
    names = list(replayed.rules)
    rows = replayed.fired[(replayed.fired["account_id"] != "").to_numpy(bool)]
    weeks = replayed.weeks
    rule = pd.Index(names).get_indexer(pd.Index(rows["rule"]))
    is_event = np.array([replayed.rules[name].alert.nature == "event" for name in names], bool)[rule]
    first = replayed.week_numbers(rows["fired_at"])
    ended = rows["ended_at"].fillna(pd.Timestamp(replayed.last))
    last = np.where(is_event, first, np.clip(replayed.week_numbers(ended), first, len(weeks) - 1))
    count = last - first + 1
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    account = pd.factorize(rows["account_id"])[0].astype(np.int64)
    return pd.DataFrame(
        {
            "rule": np.repeat(rule, count),
            "account_week": np.repeat(account * len(weeks) + first, count) + within,
        }
    ).drop_duplicates(ignore_index=True)
