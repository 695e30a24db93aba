"""Report the progress of plays, account by account: done, next, and what is wrong (S4-44, S4-187).

The query is in `progress.sql`. Reads only, and names roles rather than addresses, so that it may be shown anywhere.
"""

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.sql_files import read_sql

_SQL = read_sql(__file__)
Play = Mapping[Hashable, Any]
"""A row of `progress`."""


def progress(
    session: Session, now: datetime, account_id: str | None = None, playbook: str | None = None
) -> pd.DataFrame:
    """One row for each play that runs, those in trouble first; of one account, also for each that has ended.

    Columns: enrolment_id, playbook, title, account_id, account_name, status, reason (why it ended), anchor_on, day,
    done and steps (without those whose own condition did not hold), completion (0 to 1; missing where no step was
    needed), completed_milestones, current_milestone, upcoming_milestones, health, risks, next_actions.

    A milestone of a play is reached when every step up to its day is done or was not needed; of an onboarding without
    milestones, the onboarding steps in the product stand for them. health is `at risk` when the account is (severity
    2 or 3), a step failed or nobody knows whether it arrived; `behind` when there is any other risk: a task overdue, a
    step that was dropped or waits for approval, a milestone overdue; else `on track`; `ended` when the play is over.
    Raises UserError while the marts are not built.
    """
    parameters = {"account_id": account_id, "playbook": playbook, "now": now, "today": now.date()}
    return ask_marts(session, _SQL, parameters, who_needs="Progress needs")


def progress_table(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `progress` as a table of short texts: account, play, day, done, milestone, health, risks, next."""
    return pd.DataFrame(
        {
            "account": found["account_name"].fillna(found["account_id"]),
            "account_id": found["account_id"],
            "play": found["title"],
            "day": found["day"],
            "done": [f"{done} of {steps}" for done, steps in zip(found["done"], found["steps"], strict=True)],
            "milestone": found["current_milestone"].fillna(""),
            "health": found["health"],
            "risks": ["; ".join(texts) for texts in found["risks"]],
            "next": [texts[0] if texts else "" for texts in found["next_actions"]],
        }
    )


def play_title(play: Play) -> str:
    """Account, play, and the state it is in: its day and health, or how and why it ended."""
    name = play["account_name"] or play["account_id"]
    state = play["status"] if play["status"] != "active" else f"day {play['day']}, {play['health']}"
    ended = f", {play['reason'].replace('_', ' ')}" if play["reason"] else ""
    return f"{name} ({play['account_id']}), {play['title']}: {state}{ended}"


def play_lines(play: Play, most: int | None = None) -> Iterator[str]:
    """A line for each list that has anything: steps, milestones, risks, next; at most `most` texts of each."""
    for title, texts in (
        ("Steps", [f"{play['done']} of {play['steps']} done"]),
        ("Milestones reached", play["completed_milestones"]),
        ("Milestone now", [play["current_milestone"]] if play["current_milestone"] else []),
        ("Milestones to come", play["upcoming_milestones"]),
        ("Risks", play["risks"]),
        ("Next", play["next_actions"]),
    ):
        if texts:
            more = f"; {len(texts) - most} more" if most and len(texts) > most else ""
            yield f"{title}: {'; '.join(texts[:most])}{more}"
