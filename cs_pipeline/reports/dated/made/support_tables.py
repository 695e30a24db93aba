"""The tables and the charts of the support manager's week."""

from collections.abc import Iterator

import altair as alt
import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import Asking, Row, left_out
from cs_pipeline.reports.dated.report import Column, Figure, Table
from cs_pipeline.reports.dated.words import account_words, count, moved, number, sentence, share

WIDTH, HEIGHT = 540, 200
LONGEST_SUBJECT = 80
TIERS = {2: "support", 3: "Customer Success", 4: "an executive"}
STATES = {"breached": "past its time", "at_risk": "soon due", "running": "in time"}
FEWEST_WEEKS = 2


def waiting(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="Waiting for a first answer",
        columns=(
            Column("Account"),
            Column("Waited", is_number=True),
            Column("ARR", is_number=True),
            Column("Ticket"),
            Column("State"),
            Column("To answer"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                f"{number(row['hours'])} h",
                asking.money(row["arr"]),
                subject(row),
                STATES[row["state"]],
                answerer(row),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty="Every ticket had a first answer at the end of the week.",
    )


def tiers(rows: pd.DataFrame) -> Table:
    return Table(
        title="Answered in time, by who was to answer",
        columns=(
            Column("To answer"),
            Column("Opened", is_number=True),
            Column("In time", is_number=True),
            Column("Median", is_number=True),
            Column("Mean", is_number=True),
        ),
        rows=tuple(
            (
                f"{sentence(answerer(row))}, within {number(row['target_minutes'] / 60)} h",
                number(row["opened"]),
                _of(row["met"], row["due"]),
                f"{number(row['median_hours'])} h",
                f"{number(row['mean_hours'])} h",
            )
            for row in rows.to_dict("records")
        ),
        empty="No ticket was opened this week.",
    )


def answers(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="Bad answers of the week",
        columns=(
            Column("Account"),
            Column("Answer", is_number=True),
            Column("ARR", is_number=True),
            Column("Ticket"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                f"{number(row['csat'])} of {number(row['csat_scale'])}",
                asking.money(row["arr"]),
                subject(row),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty="Nobody rated a ticket 2 of 5 or less.",
    )


def accounts(rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="Who opened two tickets or more",
        columns=(
            Column("Account"),
            Column("Opened", is_number=True),
            Column("Past their time", is_number=True),
            Column("Waiting", is_number=True),
            Column("ARR", is_number=True),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                number(row["opened"]),
                number(row["late"]),
                number(row["waiting"]),
                asking.money(row["arr"]),
            )
            for row in rows.to_dict("records")
        ),
        accounts=tuple(rows["account_id"]),
        more=left_out(rows),
        empty="Nobody opened two.",
    )


def kinds(rows: pd.DataFrame) -> Table:
    return Table(
        title="What tickets were about",
        columns=(
            Column("Kind"),
            Column("Opened", is_number=True),
            Column("Week before", is_number=True),
            Column("In time", is_number=True),
        ),
        rows=tuple(
            (
                (row["kind"] or "nobody said").replace("_", " ").capitalize(),
                number(row["opened"]),
                number(row["opened_before"]),
                _of(row["met"], row["due"]),
            )
            for row in rows.to_dict("records")
        ),
        empty="No ticket was opened in these two weeks.",
    )


def figures(weeks: pd.DataFrame) -> Iterator[Figure]:
    """How soon tickets were answered, and how content customers were, week by week."""
    yield from _shares(weeks, "met", "due", "Answered in time", "answered_in_time", "#1f6f5c")
    yield from _shares(weeks, "satisfied", "answers", "Satisfied customers", "satisfied", "#4b8fd6")


def _shares(weeks: pd.DataFrame, part: str, whole: str, title: str, name: str, colour: str) -> Iterator[Figure]:
    known = weeks[weeks[whole].astype(float) > 0]
    if len(known) < FEWEST_WEEKS:
        return
    rows = pd.DataFrame(
        {
            "week": [f"{week:%d %b}" for week in known["week"]],
            "share": (known[part].astype(float) / known[whole].astype(float)).to_numpy(),
        }
    )
    chart = (
        alt.Chart(rows)
        .mark_line(color=colour, point=alt.OverlayMarkDef(color=colour))
        .encode(
            x=alt.X("week:O", title=None, sort=None, axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    finding = moved(f"{title} over {count(len(weeks), 'week')}", rows["share"].iloc[0], rows["share"].iloc[-1], share)
    yield Figure(name, f"{finding}.", chart)


def answerer(row: Row) -> str:
    """Who is to answer a ticket."""
    return TIERS[row["sla_tier"]]


def subject(row: Row) -> str:
    """The ticket by its subject, or where it has none by its id."""
    text = "" if is_missing(row["subject"]) else " ".join(str(row["subject"]).split())
    text = text or str(row["ticket_id"])
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1].rstrip()}…"


def _of(part: int, whole: int) -> str:
    return f"{share(part / whole)} of {whole:,}" if whole else ""
