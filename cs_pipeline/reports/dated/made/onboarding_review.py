"""Onboarding over a month (S3-79): how many complete it and see first value, at which step they stop, who is stuck."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, left_out
from cs_pipeline.reports.dated.made.kpi_charts import HEIGHT, WIDTH
from cs_pipeline.reports.dated.made.kpi_figures import (
    RECKONED_ANEW,
    KpiFigure,
    incomplete,
    kpi_figures,
    kpi_parts,
    kpi_table,
    parts_table,
)
from cs_pipeline.reports.dated.report import Column, Figure, Report, Table
from cs_pipeline.reports.dated.words import account_words, count, moved, number, share
from cs_pipeline.sql_files import read_sql

NAME = "onboarding_review"
TITLE = "Onboarding"
KPIS = {
    "onboarding_completion": "Completed in 30 days",
    "first_value_in_72h": "First value in 72 h",
    "time_to_first_value": "Median to first value",
}
COHORT_MONTHS = 6
QUIET_DAYS = 7
"""Days without a completed step from which an account is stuck."""
MOST_ROWS = 20
MOST_PARTS = 10


def onboarding_review(asking: Asking) -> Report:
    """The review of a month. Raises UserError while its KPIs are not built."""
    figures = kpi_figures(asking, [*KPIS])
    parts = kpi_parts(asking, [*KPIS], "tier")
    steps = asking.ask(read_sql(__file__, "steps"))
    cohorts = asking.ask(read_sql(__file__, "cohorts"), {"months": COHORT_MONTHS})
    stuck = asking.ask(read_sql(__file__, "stuck"), {"quiet_days": QUIET_DAYS, "most": MOST_ROWS})
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(figures),
        changes=tuple(_changes(figures, cohorts)),
        decisions=tuple(_decisions(figures, steps, stuck, asking)),
        tables=(
            kpi_table("Completion and first value", [figures[kpi] for kpi in KPIS if kpi in figures]),
            _steps_table(steps),
            _stuck_table(stuck, asking),
            _cohorts_table(cohorts),
            *([parts_table("By tier", parts, KPIS, "Tier", MOST_PARTS)] if len(parts) > 1 else []),
        ),
        figures=tuple(_figures(steps)),
        notes=(*incomplete(figures), RECKONED_ANEW, NOT_DATED),
    )


def _headline(figures: Mapping[str, KpiFigure]) -> str:
    told = []
    if "onboarding_completion" in figures:
        told.append(f"{figures['onboarding_completion'].words} complete onboarding within 30 days")
    if "time_to_first_value" in figures and figures["time_to_first_value"].is_known:
        told.append(f"half see first value within {figures['time_to_first_value'].words}")
    return ", ".join(told) or "nobody's first 30 days ended in these months"


def _changes(figures: Mapping[str, KpiFigure], cohorts: pd.DataFrame) -> list[str]:
    told = [
        moved(figure.title, figure.row["value_before"], figure.row["value"], figure.say) + f" ({figure.made_of})."
        for kpi in KPIS
        if (figure := figures.get(kpi)) is not None and figure.is_known
    ]
    if len(cohorts):
        newest = cohorts.to_dict("records")[-1]
        told.append(
            f"{count(int(newest['accounts']), 'account')} signed up in {newest['signup_month']:%B}; "
            f"{newest['inside']:,} of them {'is' if newest['inside'] == 1 else 'are'} still in the first 30 days."
        )
    return told or ["Nobody signed up."]


def _decisions(figures: Mapping[str, KpiFigure], steps: pd.DataFrame, stuck: pd.DataFrame, asking: Asking) -> list[str]:
    told = []
    drop = _largest_drop(steps)
    for figure in figures.values():
        if figure.is_missed:
            action = str(figure.row["if_missed"] or "who finds out why?").rstrip(".")
            told.append(f"{figure.title} is {figure.words}, not {figure.target_words}: {action}.")
    if drop is not None:
        step, lost, of = drop
        told.append(
            f"What is in the way at {_step_words(step)}? {lost:,} of {of:,} accounts that came there stop there."
        )
    if len(stuck):
        first = stuck.to_dict("records")[0]
        told.append(
            f"Who calls the {count(int(first['of_all']), 'account')} stuck for a week or longer "
            f"({asking.money(first['arr_of_all'])} ARR)? Begin with "
            f"{account_words(first['account_name'], first['account_id'])}, at {_step_words(first['step'])}."
        )
    return told or ["Nothing this month."]


def _largest_drop(steps: pd.DataFrame) -> tuple[str, int, int] | None:
    """The step at which most stop of those that did the one before it."""
    drops = []
    before: int | None = None
    for row in steps.to_dict("records"):
        reached = int(row["accounts"]) if before is None else before
        drops.append((str(row["step"]), reached - int(row["completed"]), reached))
        before = int(row["completed"])
    lost = [drop for drop in drops if drop[1] > 0]
    return max(lost, key=lambda drop: drop[1]) if lost else None


def _step_words(step: object) -> str:
    return str(step).replace("_", " ")


def _steps_table(steps: pd.DataFrame) -> Table:
    return Table(
        title="How far accounts come by day 30",
        columns=(
            Column("Step"),
            Column("Completed", is_number=True),
            Column("Of", is_number=True),
            Column("Share", is_number=True),
            Column("Median day", is_number=True),
        ),
        rows=tuple(
            (
                _step_words(row["step"]).capitalize() + (" (first value)" if row["is_first_value"] else ""),
                f"{row['completed']:,}",
                f"{row['accounts']:,}",
                share(row["completed"] / row["accounts"]),
                number(row["median_days"]),
            )
            for row in steps.to_dict("records")
        ),
        empty="Nobody's day 30 lay in these three months.",
        note="Accounts whose day 30 lay in the last three months; a step counts that was completed by then.",
    )


def _stuck_table(stuck: pd.DataFrame, asking: Asking) -> Table:
    records = stuck.to_dict("records")
    return Table(
        title="Stuck for a week or longer",
        columns=(
            Column("Account"),
            Column("Waits", is_number=True),
            Column("Since signup", is_number=True),
            Column("ARR", is_number=True),
            Column("At step"),
            Column("Owner"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                f"{row['days_waiting']:,} d",
                f"{row['days_since_signup']:,} d",
                asking.money(row["arr"]),
                _step_words(row["step"]),
                "" if is_missing(row["owner_email"]) else str(row["owner_email"]),
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(stuck),
        empty="Nobody who signed up in the last 90 days has waited for a week.",
    )


def _cohorts_table(cohorts: pd.DataFrame) -> Table:
    return Table(
        title="By month of signup",
        columns=(
            Column("Signed up"),
            Column("Accounts", is_number=True),
            Column("Completed in 30 days", is_number=True),
            Column("First value in 72 h", is_number=True),
            Column("Still inside", is_number=True),
        ),
        rows=tuple(
            (
                f"{row['signup_month']:%B %Y}",
                f"{row['accounts']:,}",
                _of(row["completed"], row["due"]),
                _of(row["first_value_in_72h"], row["had_72_hours"]),
                f"{row['inside']:,}",
            )
            for row in cohorts.to_dict("records")
        ),
        empty="Nobody signed up in the last six months.",
        note="Whose 30 days, or 72 hours, are not over is in no share.",
    )


def _of(part: int, whole: int) -> str:
    return f"{share(part / whole)} of {whole:,}" if whole else ""


def _figures(steps: pd.DataFrame) -> Iterator[Figure]:
    if steps.empty:
        return
    rows = pd.DataFrame(
        {
            "step": [_step_words(step).capitalize() for step in steps["step"]],
            "share": (steps["completed"] / steps["accounts"]).astype(float),
        }
    )
    drop = _largest_drop(steps)
    finding = (
        "Every account completes every step within 30 days."
        if drop is None
        else f"Most accounts stop at {_step_words(drop[0])}: {drop[1]:,} of the {drop[2]:,} that came there."
    )
    chart = (
        alt.Chart(rows)
        .mark_bar(color="#1f6f5c")
        .encode(
            x=alt.X("share:Q", title="completed by day 30", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("step:N", title=None, sort=None),
        )
        .properties(width=WIDTH - 100, height=max(HEIGHT // 2, 26 * len(rows)))
    )
    yield Figure("onboarding_steps", finding, chart)
