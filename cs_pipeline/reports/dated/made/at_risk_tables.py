"""The tables and the chart of the weekly review of customers at risk."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.health.explanation import driver_name
from cs_pipeline.reports.alerts.text import what_of
from cs_pipeline.reports.charts import SEVERITY_COLOURS
from cs_pipeline.reports.dated.asking import Asking, Row, left_out
from cs_pipeline.reports.dated.report import Column, Figure, Table
from cs_pipeline.reports.dated.words import SEVERITY_WORDS, account_words, count, day, moved, signed

RENEWAL_DAYS = 90
MOST_ROWS = 25
DRIVERS_TOLD = 3
LONGEST_AGO = 365
"""Days since the last touchpoint beyond which nobody counts."""


def table(title: str, rows: pd.DataFrame, asking: Asking, empty: str) -> Table:
    return Table(
        title=title,
        columns=(
            Column("Account"),
            Column("Score", is_number=True),
            Column("Change", is_number=True),
            Column("ARR", is_number=True),
            Column("Last contact", is_number=True),
            Column("Why"),
            Column("Play"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                _score(row),
                signed(_change(row)),
                asking.money(row["arr"]),
                _last_contact(row),
                _why(row),
                ", ".join(row["plays"]),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty=empty,
    )


def _score(row: Row) -> str:
    return "no score" if pd.isna(row["score"]) else f"{row['score']:.0f} {row['band']}"


def _change(row: Row) -> float | None:
    if pd.isna(row["score"]) or pd.isna(row["score_before"]):
        return None
    return row["score"] - row["score_before"]


def _last_contact(row: Row) -> str:
    days = row["days_since_last_touchpoint"]
    if pd.isna(days):
        return "unknown"
    return f"{days:,.0f} d ago" if days < LONGEST_AGO else "over a year"


def _why(row: Row) -> str:
    """What moved the score most in the way that it went; where it did not move, what holds it back."""
    change = _change(row) or 0
    drivers = [
        f"{driver_name(metric)} {signed(delta)}"
        for metric, delta in zip(row["driver_metrics"], row["driver_deltas"], strict=True)
        if delta * change > 0 and abs(delta) >= 0.5
    ]
    told = drivers or [driver_name(metric) for metric in row["held_back_by"]]
    asked = ["asked to cancel"] if row["has_cancellation_request"] else []
    return ", ".join([*asked, *told[:DRIVERS_TOLD]])


def renewals(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title=f"Renewals within {RENEWAL_DAYS} days, by ARR",
        columns=(
            Column("Account"),
            Column("Renews"),
            Column("Kind"),
            Column("ARR", is_number=True),
            Column("Score", is_number=True),
            Column("Standing"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                day(row["renewal_date"]),
                {"auto": "by itself", "manual": "must be signed"}.get(row["renewal_type"], ""),
                asking.money(row["arr"]),
                _score(row),
                "at risk" if row["is_at_risk"] else "not at risk" if not pd.isna(row["score"]) else "no score",
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty=f"No contract renews within {RENEWAL_DAYS} days.",
    )


def disagreements(rows: pd.DataFrame, rules: Mapping[str, Rule], asking: Asking) -> Table:
    return Table(
        title="Score and signals disagree",
        columns=(Column("Account"), Column("ARR", is_number=True), Column("What")),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                asking.money(row["arr"]),
                what_of(rules.get(row["rule"]), row),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty="None was open at the end of the week.",
    )


def fired(rows: pd.DataFrame, rules: Mapping[str, Rule], asking: Asking) -> Table:
    return Table(
        title="Alerts that fired",
        columns=(
            Column("Rule"),
            Column("Alerts", is_number=True),
            Column("Accounts", is_number=True),
            Column("Their ARR", is_number=True),
        ),
        rows=tuple(
            (
                _rule_words(str(row["rule"]), rules),
                f"{row['alerts']:,}",
                f"{row['accounts']:,}",
                asking.money(row["arr"]),
            )
            for row in rows.head(MOST_ROWS).to_dict("records")
        ),
        more=max(0, len(rows) - MOST_ROWS),
        empty="No alert fired this week.",
    )


def _rule_words(rule: str, rules: Mapping[str, Rule]) -> str:
    words = rule.replace("_", " ").capitalize()
    return f"{words} (good news)" if rule in rules and rules[rule].alert.polarity == "positive" else words


def trend_of(trend: pd.DataFrame, asking: Asking) -> Sequence[Figure]:
    if trend.empty:
        return ()
    rows = trend.assign(
        arr=trend["arr"].astype(float),
        week=[str(week) for week in trend["week"]],
        severity_words=[SEVERITY_WORDS[int(severity)] for severity in trend["severity"]],
        severity=trend["severity"].astype(int),
    )
    severities = sorted(rows["severity"].unique())
    by_week = rows.groupby("week")["arr"].sum()
    finding = moved(
        f"ARR at risk over {count(len(by_week), 'week')}",
        by_week.iloc[0] if len(by_week) > 1 else None,
        by_week.iloc[-1],
        asking.money,
    )
    chart = (
        alt.Chart(rows[["week", "arr", "severity", "severity_words"]], title="ARR at risk by week")
        .mark_bar()
        .encode(
            x=alt.X("week:O", title=None, axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("arr:Q", title="ARR", axis=alt.Axis(format="~s")),
            color=alt.Color(
                "severity_words:N",
                title=None,
                scale=alt.Scale(
                    domain=[SEVERITY_WORDS[each] for each in severities],
                    range=[SEVERITY_COLOURS[each] for each in severities],
                ),
            ),
            order=alt.Order("severity:Q", sort="descending"),
        )
        .properties(width=540, height=220)
    )
    return (Figure("arr_at_risk", f"{finding}.", chart),)
