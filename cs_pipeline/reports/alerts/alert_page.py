"""One alert for a page: what was measured and why, what became of it, who was told how, what it started.

Its words are those of `alert_story`, which the command line tells. Reads only; every query is of one alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.reports.alerts.alert_story import AlertStory, tell_alert
from cs_pipeline.reports.alerts.lists import alert_of_id
from cs_pipeline.reports.alerts.text import CAUSES, remarks
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

Row = dict[str, Any]
DECIDED = {"acknowledged": "taken", "snoozed": "snoozed", "released": "released, so that people are told"}
"""What people decided, in words, by the cause of the change."""
BECAME = {
    "pending": "found",
    "firing": "fires",
    "recovering": "not found any more",
    "resolved": "over",
    "closed": "closed",
}
"""What happened, in words, by the state that it came to."""


@dataclass(frozen=True)
class AlertPage:
    """`row`: as of `lists.alerts`, with `remarks`. `rule`: None where it is no more. `story`: what is said in words.

    `history`: at, what, why, by, measured, oldest first. `told`: kind, recipient, role, is_in_digest, due_at, told_at,
    dropped, subject, and `messages` (channel, status, path of what was captured). `started`: plays with title, status,
    `why` in words. `others`: open alerts of the account, as rows of `alert_table`.
    """

    row: Row
    rule: Rule | None
    story: AlertStory
    history: list[Row]
    told: list[Row]
    started: list[Row]
    others: list[Row]


def alert_page(session: Session, rules: Mapping[str, Rule], alert_id: int, now: datetime) -> AlertPage:
    """Everything about an alert. Raises UserError where there is none of that id."""
    story = tell_alert(session, rules, alert_id, now)
    row: Row = alert_of_id(session, alert_id, now).to_dict("records")[0]  # pyright: ignore[reportAssignmentType]
    return AlertPage(
        row={**row, "remarks": remarks(row)},
        rule=rules.get(row["rule"]),
        story=story,
        history=_history(story),
        told=read_rows(session, read_sql(__file__, "told"), {"alert_id": alert_id}),
        started=[
            {**each, "why": meaning(each["reason"]) if each["reason"] else ""}
            for each in read_rows(session, read_sql(__file__, "started"), {"alert_id": alert_id})
        ],
        others=story.tables["Other open alerts"].to_dict("records"),  # pyright: ignore[reportArgumentType]
    )


def _history(story: AlertStory) -> list[Row]:
    changes = story.tables["What became of it"].to_dict("records")
    return [
        {
            "at": each["as_of"],
            "what": DECIDED.get(each["cause"], each["cause"]) if each["decided_by"] else BECAME[each["to_state"]],
            "why": "" if each["decided_by"] else CAUSES.get(each["cause"], each["cause"] or ""),
            "by": each["decided_by"],
            "measured": each["measured"],
        }
        for each in changes
    ]
