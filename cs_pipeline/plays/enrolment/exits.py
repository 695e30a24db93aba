"""End plays: early, by the exit conditions of their playbooks and today's facts, or because nothing is left of them.

A delivery asks the same of what it is about to take (`delivery.eligibility`), so that no message goes out whose play is
over. All plays are asked once a day: that costs as much as there are, whatever is due.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks import versions
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import CHURNED, RETURNED

AT_A_TIME = 10_000  # enrolments whose facts are held in memory together

ALWAYS = (CHURNED, "renewal_moved")
"""Reasons that end every play: nobody is kept writing to who has left, or about a date that no longer holds."""


def end_plays(session: Session, as_of: AsOf, account_ids: list[str]) -> Counter[str]:
    """End the active enrolments of `account_ids` whose exit conditions hold; counts by reason.

    Their actions that are not yet taken are cancelled, with the same reason. What has nothing left to do is completed.
    """
    ended: Counter[str] = Counter()
    for active in _in_pieces(session, account_ids):
        ended.update(_end(session, active, as_of))
    return ended


def end_all_plays(session: Session, as_of: AsOf) -> Counter[str]:
    """As `end_plays`, of all accounts, each piece in a transaction of its own."""
    ended: Counter[str] = Counter()
    for active in _in_pieces(session, None):
        ended.update(_end(session, active, as_of))
        session.commit()
    return ended


def _in_pieces(session: Session, account_ids: list[str] | None) -> Iterator[pd.DataFrame]:
    after = 0
    while not (active := active_enrolments(session, account_ids, after)).empty:
        yield active
        after = int(active["enrolment_id"].max())


def _end(session: Session, active: pd.DataFrame, as_of: AsOf) -> pd.Series:
    reasons = exit_reasons(session, active, as_of).dropna()
    store = PostgresStore(session)
    store.end(reasons, as_of.now)
    store.complete(as_of.now, active["enrolment_id"].tolist())
    return reasons


def exit_reasons(session: Session, enrolments: pd.DataFrame, as_of: AsOf) -> pd.Series:
    """The first exit reason that holds for each enrolment (columns of `active_enrolments`); missing where none does.

    Indexed by enrolment id.
    """
    return reasons_with(session, enrolments, facts_of(session, enrolments, as_of))


def facts_of(session: Session, enrolments: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Today's facts for each enrolment, on the index of `enrolments`."""
    cases = enrolments.rename(columns={"enrolment_id": "case_id", "enrolled_at": "since"})
    return facts.read(session, cases, as_of)


def reasons_with(session: Session, enrolments: pd.DataFrame, today: pd.DataFrame) -> pd.Series:
    """`exit_reasons`, were `today` the facts (a row for each enrolment, on the same index)."""
    keys = list(zip(enrolments["playbook"], enrolments["playbook_version"], strict=True))
    playbooks = versions.recall(session, keys)
    reasons = reasons_of_plays([playbooks[key] for key in keys], today)
    return reasons.set_axis(enrolments["enrolment_id"])


def reasons_of_plays(plays: Sequence[Playbook], today: pd.DataFrame) -> pd.Series:
    """The first exit reason that holds for each row of facts, in the play of `plays` at its place."""
    reasons = pd.Series(pd.NA, index=today.index, dtype="string")
    by_play: dict[tuple[str, str], list[int]] = {}
    for place, play in enumerate(plays):
        by_play.setdefault((play.playbook, play.version), []).append(place)
    for places in by_play.values():
        rows = today if len(by_play) == 1 else today.iloc[places]
        reasons.loc[rows.index] = reasons_in(plays[places[0]], rows)
    return reasons


def reasons_in(playbook: Playbook, today: pd.DataFrame) -> pd.Series:
    """The first exit reason of `playbook` that holds for each row of facts; missing where none does."""
    reasons = pd.Series(pd.NA, index=today.index, dtype="string")
    has_left = ~today[facts.KNOWN] | today["is_churned"].fillna(False)
    if playbook.for_former_customers:
        reasons[~has_left] = RETURNED
    else:
        reasons[has_left] = CHURNED
    reasons[reasons.isna() & today["renewal_moved"].fillna(False)] = "renewal_moved"
    for ending in playbook.exit:
        reasons[reasons.isna() & ending.condition.holds(today)] = ending.reason
    return reasons


def active_enrolments(session: Session, account_ids: list[str] | None, after: int) -> pd.DataFrame:
    """The next AT_A_TIME active enrolments (of `account_ids`, or all) whose id is above `after`.

    Columns enrolment_id, playbook, playbook_version, account_id, subject_id, trigger_id, anchor_on, enrolled_at.
    """
    columns = [
        "enrolment_id",
        "playbook",
        "playbook_version",
        "account_id",
        "subject_id",
        "trigger_id",
        "anchor_on",
        "enrolled_at",
    ]
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                enrolments.enrolment_id,
                enrolments.playbook,
                enrolments.playbook_version,
                enrolments.account_id,
                case when triggers.kind = 'renewal_window' then enrolments.subject_id end as subject_id,
                enrolments.trigger_id,
                enrolments.anchor_on,
                enrolments.enrolled_at
            from cs.enrolments
            inner join cs.triggers using (trigger_id)
            where
                enrolments.status = 'active'
                and enrolments.enrolment_id > %(after)s
                and (%(account_ids)s::text[] is null or enrolments.account_id = any(%(account_ids)s::text[]))
            order by enrolments.enrolment_id
            limit %(limit)s
            """,
            {"after": after, "account_ids": account_ids, "limit": AT_A_TIME},
        )
        return pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object")
