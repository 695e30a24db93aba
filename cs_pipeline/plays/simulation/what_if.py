"""Find which plays would start or stop if accounts had other scores. Nothing is written.

It calls the same functions that enrol accounts and end plays, with other facts. Whose scores these are, and why, is
up to who asks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.enrol import refusals
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf, facts_column
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.dispatch import offer_order

SCORE_FACTS = ("score", "band", "severity", "coverage")
CHANGE_FACTS = (
    "from_score", "to_score", "delta", "from_band", "to_band", "from_severity", "to_severity", "cause",
)  # fmt: skip


def started_by_scores(playbooks: Mapping[str, Playbook]) -> list[Playbook]:
    """The playbooks that a change of score may start, in the order in which they are offered one."""
    return offer_order(playbook for playbook in playbooks.values() if playbook.trigger.kind == "score_change")


def with_scores(today: pd.DataFrame, account_ids: pd.Series, scores: pd.DataFrame) -> pd.DataFrame:
    """`today` (facts, a row for each of `account_ids`) with the SCORE_FACTS of `scores`, which is by account_id.

    Accounts that `scores` does not have keep theirs.
    """
    has_other = account_ids.isin(scores.index).to_numpy(dtype=bool)
    other = scores.reindex(account_ids)[list(SCORE_FACTS)].set_axis(today.index)
    columns = {
        name: today[name].where(~has_other, facts_column(other[name]).astype(today[name].dtype)) for name in SCORE_FACTS
    }
    return today.assign(**columns)


def today_of(session: Session, account_ids: Sequence[str], as_of: AsOf) -> tuple[pd.Series, pd.DataFrame]:
    """The accounts as a column, and today's facts of each."""
    accounts = pd.Series(list(account_ids), dtype="object")
    cases = pd.DataFrame(
        {
            "case_id": range(len(accounts)),
            "account_id": accounts,
            "subject_id": pd.Series([None] * len(accounts), dtype="object"),
            "trigger_id": pd.Series([None] * len(accounts), dtype="object"),
            "anchor_on": pd.Series([as_of.now.date()] * len(accounts), dtype="object"),
            "since": pd.Series([as_of.now] * len(accounts), dtype="object"),
        }
    )
    return accounts, facts.read(session, cases, as_of)


def plays_that_start(
    session: Session, playbooks: Sequence[Playbook], changes: pd.DataFrame, scores: pd.DataFrame, as_of: AsOf
) -> dict[str, np.ndarray]:
    """For each playbook, which of `changes` would start it now.

    `changes` has account_id (each once) and the CHANGE_FACTS, `scores` the SCORE_FACTS by account_id.
    """
    if changes.empty:
        return {playbook.playbook: np.zeros(0, dtype=bool) for playbook in playbooks}
    accounts, today = today_of(session, changes["account_id"].tolist(), as_of)
    known = with_scores(today, accounts, scores)
    plain = pd.DataFrame({name: facts_column(changes[name]) for name in CHANGE_FACTS}, dtype="object")
    offered = pd.DataFrame(
        {
            "account_id": accounts,
            "subject_id": pd.Series([None] * len(accounts), dtype="object"),
            "user_id": pd.Series([None] * len(accounts), dtype="object"),
            "facts": plain.to_dict("records"),
        }
    )
    return {
        playbook.playbook: refusals(session, playbook, offered, known, as_of).isna().to_numpy(dtype=bool)
        for playbook in playbooks
    }


def plays_that_stop(session: Session, before: pd.DataFrame, after: pd.DataFrame, as_of: AsOf) -> Counter[str]:
    """How many active plays would end with the scores `after` but not with those `before`, by playbook.

    Both have the SCORE_FACTS by account_id, for the same accounts.
    """
    stopped: Counter[str] = Counter()
    seen = 0
    while True:
        active = exits.active_enrolments(session, None, seen)
        if active.empty:
            return stopped
        seen = int(active["enrolment_id"].max())
        concerned = active[active["account_id"].isin(after.index)]
        if concerned.empty:
            continue
        today = exits.facts_of(session, concerned, as_of)
        accounts = concerned["account_id"]
        ends, ended = (
            exits.reasons_with(session, concerned, with_scores(today, accounts, scores)).notna().to_numpy(dtype=bool)
            for scores in (after, before)
        )
        stopped.update(concerned["playbook"][ends & ~ended])
