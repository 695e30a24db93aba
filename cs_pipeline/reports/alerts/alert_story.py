"""One alert, told: what was found, since when, what became of it, who was told, what else is open. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.reports.alerts.lists import alert_of_id, alert_table, changes, open_of_account, told
from cs_pipeline.reports.alerts.text import Row, remarks, what_of

HEADLINES = {
    "pending": "It holds since {since}, and fires when it has held long enough.",
    "firing": "It fires since {fired}.",
    "recovering": "It fires since {fired}; the last evaluation did not find it.",
    "resolved": "It fired at {fired}, and is over since {ended}.",
    "closed": "It fired at {fired}, and was closed at {ended}.",
}


@dataclass(frozen=True)
class AlertStory:
    """What there is to tell. `tables` by title; those without rows are among them."""

    alert_id: int
    title: str
    paragraphs: list[str]
    tables: dict[str, pd.DataFrame]


def tell_alert(session: Session, rules: Mapping[str, Rule], alert_id: int, now: datetime) -> AlertStory:
    """The story of an alert. Raises UserError when there is none of that id."""
    found = alert_of_id(session, alert_id, now).to_dict("records")
    if not found:
        raise UserError(f"There is no alert {alert_id}; `cs-pipeline alert list` lists those that are open")
    row = found[0]
    rule = rules.get(row["rule"])
    others = pd.DataFrame()
    if row["account_id"]:
        others = open_of_account(session, row["account_id"], now)
        others = alert_table(others[others["alert_id"] != alert_id], rules).drop(columns=["account", "owner"])
    return AlertStory(
        alert_id,
        what_of(rule, row),
        [
            *_about_rule(rule, row),
            _about_account(row),
            _about_state(row),
            *filter(None, [_about_figures(row), _beside(row)]),
        ],
        {
            "What was found": _facts(row),
            "What became of it": changes(session, alert_id),
            "Who was told": told(session, alert_id),
            "Other open alerts": others,
        },
    )


def _about_rule(rule: Rule | None, row: Row) -> list[str]:
    if rule is None:
        return [f"Rule {row['rule']}, which is no more."]
    asked = f"asked {rule.alert.schedule}" if " " not in rule.alert.schedule else f"asked at {rule.alert.schedule} UTC"
    return [f"Rule {rule.name} ({rule.alert.type}, {row['severity']}, {asked}): {rule.description}"]


def _about_account(row: Row) -> str:
    if not row["account_id"]:
        return "It is about no single account."
    named = f"{row['account_name']} ({row['account_id']})" if row["account_name"] else str(row["account_id"])
    arr = "" if row["arr"] is None else f", ARR {row['arr']:,.0f}"
    return f"Account {named}{arr}" + (f", owner {row['owner_email']}" if row["owner_email"] else "") + "."


def _about_state(row: Row) -> str:
    moments = {"since": row["since"], "fired": row["fired_at"], "ended": row["ended_at"]}
    words = {name: f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "no time" for name, at in moments.items()}
    return HEADLINES[row["state"]].format(**words)


def _beside(row: Row) -> str:
    said = remarks(row).replace("baseline", "baseline (it held when the rule was first asked, so nobody was told)")
    return f"Besides: {said}." if said else ""


def _about_figures(row: Row) -> str:
    if row["measured"] is None:
        return ""
    against = "" if row["held_against"] is None else f", held against {row['held_against']:,.6g}"
    return f"Measured {row['measured']:,.6g}{against}."


def _facts(row: Row) -> pd.DataFrame:
    """Columns fact and value: what the rule's row said, as text."""
    said = {"entity": row["entity"], **(row["facts"] or {})}
    return pd.DataFrame(
        [(name, str(value)) for name, value in said.items() if value is not None], columns=["fact", "value"]
    )
