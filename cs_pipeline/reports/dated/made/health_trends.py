"""Health over a month (S3-78): where customers moved, what moved their scores, who fell and who rose.

Scores are those of the last week that had ended with the month, beside those of the month before; owners and ARR are
the week's own.
"""

from collections.abc import Sequence

import pandas as pd

from cs_pipeline.health.explanation import driver_name
from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, Row, left_out
from cs_pipeline.reports.dated.made import health_charts
from cs_pipeline.reports.dated.report import Column, Report, Table
from cs_pipeline.reports.dated.words import (
    SEVERITY_WORDS,
    account_words,
    count,
    moved,
    number,
    share,
    signed,
)
from cs_pipeline.sql_files import read_sql

NAME = "health_trends"
TITLE = "Health trends"
TREND_WEEKS = 26
MOST_ROWS = 15
MOST_DRIVERS = 12
DRIVERS_TOLD = 3

_CUSTOMERS = read_sql(__file__, "customers")


def health_trends(asking: Asking) -> Report:
    """The trends of a month. Raises UserError while the marts are not built."""
    window = {"week_before": asking.period.before.last_week, "most": MOST_ROWS, "trend_weeks": TREND_WEEKS}
    totals = asking.one(read_sql(__file__, "totals", customers=_CUSTOMERS), window)
    flows = asking.ask(read_sql(__file__, "flows", customers=_CUSTOMERS), window)
    drivers = asking.ask(read_sql(__file__, "drivers"), window)
    fell, rose = (
        asking.ask(read_sql(__file__, "moved", customers=_CUSTOMERS, condition=condition), window)
        for condition in ("change < 0", "change > 0")
    )
    parts = {
        part: asking.ask(read_sql(__file__, "parts", customers=_CUSTOMERS, part=part), window).rename(
            columns={part: "part"}
        )
        for part in ("tier", "owner_email")
    }
    trend = asking.ask(read_sql(__file__, "weeks"), window)
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(totals),
        changes=tuple(_changes(totals, asking)),
        decisions=tuple(_decisions(totals, drivers, fell, parts["owner_email"], asking)),
        tables=(
            _flows_table(flows, asking),
            _drivers_table(drivers),
            _moved_table("Fell most, by what they pay", fell, asking, "Nobody's score fell."),
            _moved_table("Rose most, by what they pay", rose, asking, "Nobody's score rose."),
            _parts_table("By tier", "Tier", parts["tier"], asking),
            *([] if asking.owner else [_parts_table("By owner", "Owner", parts["owner_email"], asking)]),
        ),
        figures=(*health_charts.severities(trend), *health_charts.means(trend)),
        notes=tuple(_notes(totals)),
        owner=asking.owner,
    )


def _headline(totals: Row) -> str:
    if not totals["scored"]:
        return "no account has a score for this month"
    return (
        f"mean score {number(totals['mean_score'])}, {share(totals['healthy'] / totals['scored'])} of "
        f"{count(int(totals['scored']), 'account')} healthy"
    )


def _changes(totals: Row, asking: Asking) -> list[str]:
    if not totals["scored"]:
        return ["No account has a score for this month."]
    told = [
        moved("The mean score", totals["mean_score_before"], totals["mean_score"], number)
        + "; "
        + moved("weighed by ARR it", totals["score_by_arr_before"], totals["score_by_arr"], number)
        + "."
    ]
    if totals["scored_before"]:
        told.append(
            moved(
                "The share that is healthy",
                totals["healthy_before"] / totals["scored_before"],
                totals["healthy"] / totals["scored"],
                share,
            )
            + "."
        )
    told.append(
        f"{count(int(totals['fell']), 'account')} fell to a worse severity ({asking.money(totals['arr_fell'])} ARR), "
        f"{totals['rose']:,} rose to a better one ({asking.money(totals['arr_rose'])} ARR)."
    )
    return told


def _decisions(
    totals: Row, drivers: pd.DataFrame, fell: pd.DataFrame, owners: pd.DataFrame, asking: Asking
) -> list[str]:
    told = []
    losing = drivers[drivers["lost"] > drivers["won"]] if len(drivers) else drivers
    if len(losing):
        first = losing.to_dict("records")[0]
        told.append(
            f"What is done about {driver_name(first['metric'])}? It took {number(first['lost'])} points from "
            f"{count(int(first['accounts_lost']), 'account')} and gave {number(first['won'])}, more than anything else."
        )
    if totals["fell"] > totals["rose"] and len(fell):
        worst = fell.to_dict("records")[0]
        told.append(
            f"Who wins back what fell? Begin with {account_words(worst['account_name'], worst['account_id'])} "
            f"({asking.money(worst['arr'])} ARR, {number(worst['score_before'])} to {number(worst['score'])})."
        )
    if not asking.owner and len(owners) > 1:
        known = [row for row in owners.to_dict("records") if not (is_missing(row["change"]) or is_missing(row["part"]))]
        lowest = min(known, key=lambda row: float(row["change"]), default=None)
        if lowest is not None and lowest["change"] < 0:
            told.append(
                f"Does {lowest['part']} need help? The mean of their {count(int(lowest['accounts']), 'account')} "
                f"fell by {number(-lowest['change'])}, with {asking.money(lowest['arr_at_risk'])} ARR at risk."
            )
    return told or ["Nothing this month."]


def _flows_table(flows: pd.DataFrame, asking: Asking) -> Table:
    """From where to where, a row a severity before; who was not scored then or is not now stands at the edge."""
    severities = [*SEVERITY_WORDS, None]
    found = {(_severity(row["severity_before"]), _severity(row["severity"])): row for row in flows.to_dict("records")}
    rows = []
    for before in severities:
        cells = [found.get((before, now)) for now in severities]
        if any(cells):
            of_row = sum(float(row["arr"]) for row in cells if row)
            rows.append(
                (
                    "not scored" if before is None else SEVERITY_WORDS[before],
                    *("" if row is None else f"{row['accounts']:,}" for row in cells),
                    asking.money(of_row),
                )
            )
    return Table(
        title="Where accounts moved",
        columns=(
            Column("Month before"),
            *(Column(f"now {words}", is_number=True) for words in SEVERITY_WORDS.values()),
            Column("now not scored", is_number=True),
            Column("ARR", is_number=True),
        ),
        rows=tuple(rows),
        empty="No account has a score.",
    )


def _severity(value: object) -> int | None:
    return None if is_missing(value) else int(str(value))


def _drivers_table(drivers: pd.DataFrame) -> Table:
    ordered = drivers.assign(net=drivers["won"] - drivers["lost"]).to_dict("records") if len(drivers) else []
    return Table(
        title="What moved scores",
        columns=(
            Column("Metric"),
            Column("Net points", is_number=True),
            Column("Points lost", is_number=True),
            Column("Accounts that lost", is_number=True),
            Column("Points won", is_number=True),
            Column("Accounts that won", is_number=True),
        ),
        rows=tuple(
            (
                driver_name(row["metric"]),
                signed(row["net"]),
                number(row["lost"]),
                f"{row['accounts_lost']:,}",
                number(row["won"]),
                f"{row['accounts_won']:,}",
            )
            for row in ordered[:MOST_DRIVERS]
        ),
        more=max(0, len(ordered) - MOST_DRIVERS),
        empty="No score moved.",
    )


def _moved_table(title: str, rows: pd.DataFrame, asking: Asking, empty: str) -> Table:
    records = rows.to_dict("records")
    return Table(
        title=title,
        columns=(
            Column("Account"),
            Column("Score", is_number=True),
            Column("Change", is_number=True),
            Column("ARR", is_number=True),
            Column("Why"),
            Column("Owner"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                f"{row['score']:.0f} {row['band']}",
                signed(row["change"]),
                asking.money(row["arr"]),
                _why(row),
                "" if is_missing(row["owner_email"]) else str(row["owner_email"]),
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(rows),
        empty=empty,
    )


def _why(row: Row) -> str:
    """What moved the score most in the way that it went."""
    told: Sequence[str] = [
        f"{driver_name(metric)} {signed(delta)}"
        for metric, delta in zip(row["driver_metrics"], row["driver_deltas"], strict=True)
        if delta * row["change"] > 0
    ]
    return ", ".join(told[:DRIVERS_TOLD])


def _parts_table(title: str, first: str, rows: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title=title,
        columns=(
            Column(first),
            Column("Accounts", is_number=True),
            Column("ARR", is_number=True),
            Column("Mean score", is_number=True),
            Column("Change", is_number=True),
            Column("At risk", is_number=True),
            Column("ARR at risk", is_number=True),
        ),
        rows=tuple(
            (
                "unknown" if is_missing(row["part"]) or row["part"] == "none" else str(row["part"]),
                f"{row['accounts']:,}",
                asking.money(row["arr"]),
                number(row["mean_score"]),
                signed(row["change"]),
                f"{row['at_risk']:,}",
                asking.money(row["arr_at_risk"]),
            )
            for row in rows.to_dict("records")
        ),
        empty="There is no account.",
    )


def _notes(totals: Row) -> list[str]:
    unscored = int(totals["accounts"]) - int(totals["scored"])
    told = (
        [f"{count(unscored, 'account')} of {totals['accounts']:,} without a score are in no mean."] if unscored else []
    )
    return [*told, NOT_DATED]
