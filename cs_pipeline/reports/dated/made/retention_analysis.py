"""Retention over a quarter (S3-80): what was kept, what was lost, where and why, and whether the score had said so."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd

from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import NOT_DATED, Asking, Row, left_out
from cs_pipeline.reports.dated.made import kpi_charts
from cs_pipeline.reports.dated.made.kpi_figures import (
    RECKONED_ANEW,
    KpiFigure,
    incomplete,
    kpi_figures,
    kpi_parts,
    kpi_table,
    parts_table,
    weakest,
)
from cs_pipeline.reports.dated.report import Column, Figure, Report, Table
from cs_pipeline.reports.dated.words import account_words, count, moved, share
from cs_pipeline.sql_files import read_sql

NAME = "retention_analysis"
TITLE = "Retention analysis"
KPIS = (
    "nrr",
    "grr",
    "logo_retention",
    "monthly_churn_rate",
    "renewal_rate",
    "renewal_rate_mrr",
    "renewal_rate_possible",
    "on_time_renewal_rate",
    "renewal_growth",
    "multi_year_rate",
    "quick_ratio",
    "ltv",
)
BY_PART = {
    "mrr": "MRR",
    "grr": "GRR, 12 months",
    "nrr": "NRR, 12 months",
    "logo_retention": "Logos kept",
    "renewal_rate_mrr": "Renewed, by MRR",
}
PARTS = {
    "tier": ("By tier", "Tier"),
    "segment": ("By segment", "Segment"),
    "owner": ("By owner", "Owner"),
}
QUARTERS = 5
COHORT_QUARTERS = 8
AGES = (1, 3, 6, 12)
MONTHS_SHOWN = 24
MOST_ROWS = 20
MOST_REASONS = 8
MOST_PARTS = 10
FEWEST_ACCOUNTS = 10
LONGEST_REASON = 80

_LOST = read_sql(__file__, "lost")


def retention_analysis(asking: Asking) -> Report:
    """The analysis of a quarter. Raises UserError while its KPIs are not built."""
    figures = kpi_figures(asking, KPIS)
    parts = {kind: kpi_parts(asking, [*BY_PART], kind) for kind in PARTS}
    totals = asking.one(read_sql(__file__, "totals", lost=_LOST))
    largest = asking.ask(read_sql(__file__, "largest", lost=_LOST), {"most": MOST_ROWS})
    reasons = asking.ask(read_sql(__file__, "reasons", lost=_LOST), {"most": MOST_REASONS})
    quarters = asking.ask(read_sql(__file__, "quarters"), {"quarters": QUARTERS})
    cohorts = asking.ask(read_sql(__file__, "cohorts"), {"quarters": COHORT_QUARTERS, "ages": list(AGES)})
    trend = kpi_charts.retention_by_month(asking, MONTHS_SHOWN)
    return Report(
        name=NAME,
        title=TITLE,
        period=asking.period,
        headline=_headline(figures, totals, asking),
        changes=tuple(_changes(figures, totals, asking)),
        decisions=tuple(_decisions(figures, parts["tier"], totals, reasons, asking)),
        tables=(
            kpi_table("Retention and renewals", [figures[kpi] for kpi in KPIS if kpi in figures]),
            _losses_table(largest, asking),
            _reasons_table(reasons, asking),
            _quarters_table(quarters, asking),
            _cohorts_table(cohorts),
            *(
                parts_table(title, parts[kind], BY_PART, first, MOST_PARTS)
                for kind, (title, first) in PARTS.items()
                if len(parts[kind]) > 1
            ),
        ),
        figures=(
            *kpi_charts.retention(trend, load_kpis(asking.settings.config)),
            *_cohorts_chart(cohorts),
        ),
        notes=(*_notes(totals, asking), *incomplete(figures), RECKONED_ANEW, NOT_DATED),
    )


def _headline(figures: Mapping[str, KpiFigure], totals: Row, asking: Asking) -> str:
    kept = [f"{words} {figures[kpi].words}" for kpi, words in (("grr", "GRR"), ("nrr", "NRR")) if kpi in figures]
    lost = float(totals["left_mrr"]) + float(totals["shrunk_mrr"])
    return ", ".join([*kept, f"{asking.money(lost)} MRR lost in the quarter"])


def _changes(figures: Mapping[str, KpiFigure], totals: Row, asking: Asking) -> list[str]:
    money = asking.money
    told = [
        f"{count(int(totals['left_accounts']), 'account')} left ({money(totals['left_mrr'])} MRR), "
        f"{totals['shrunk_accounts']:,} shrank ({money(totals['shrunk_mrr'])} MRR)."
    ]
    told += [
        moved(f"{figure.title} over a year", figure.row["value_year_before"], figure.row["value"], figure.say) + "."
        for kpi in ("grr", "nrr", "renewal_rate_mrr")
        if (figure := figures.get(kpi)) is not None and figure.is_known
    ]
    judged = float(totals["seen_mrr"]) + float(totals["unseen_mrr"])
    if judged:
        told.append(
            f"The score had called {share(float(totals['seen_mrr']) / judged)} of the lost MRR at risk when its month "
            "began."
        )
    return told


def _decisions(
    figures: Mapping[str, KpiFigure],
    tiers: Mapping[str, Mapping[str, KpiFigure]],
    totals: Row,
    reasons: pd.DataFrame,
    asking: Asking,
) -> list[str]:
    told = []
    for figure in figures.values():
        if figure.is_missed:
            action = str(figure.row["if_missed"] or "who finds out why?").rstrip(".")
            worst = weakest(tiers, str(figure.row["kpi"]), FEWEST_ACCOUNTS)
            where = "" if worst is None else f" Weakest in tier {worst[0]}, {worst[1].words}."
            told.append(f"{figure.title} is {figure.words}, not {figure.target_words}: {action}.{where}")
    named = [row for row in reasons.to_dict("records") if not is_missing(row["reason"])]
    if named:
        first = named[0]
        told.append(
            f"What is answered to “{_cut(str(first['reason']))}”? {count(int(first['accounts']), 'account')} left over "
            f"it with {asking.money(first['mrr_lost'])} MRR."
        )
    if totals["unseen_accounts"]:
        told.append(
            f"Which signal was missing? {count(int(totals['unseen_accounts']), 'loss', 'losses')} "
            f"({asking.money(totals['unseen_mrr'])} MRR) had not been at risk."
        )
    return told or ["Nothing this quarter."]


def _losses_table(largest: pd.DataFrame, asking: Asking) -> Table:
    records = largest.to_dict("records")
    return Table(
        title="Largest losses of the quarter",
        columns=(
            Column("Account"),
            Column("MRR lost", is_number=True),
            Column("Score a month before", is_number=True),
            Column("What"),
            Column("Month"),
            Column("Reason given"),
            Column("Tier"),
            Column("Owner"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                asking.money(row["mrr_lost"]),
                "no score" if is_missing(row["score"]) else f"{row['score']:.0f} {row['band']}",
                "left" if row["movement"] == "churn" else "shrank",
                f"{row['month']:%B}",
                "" if is_missing(row["reason"]) else _cut(str(row["reason"])),
                *(
                    "" if is_missing(row[each]) or row[each] == "none" else str(row[each])
                    for each in ("tier", "owner_email")
                ),
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(largest),
        empty="Nobody left or shrank this quarter.",
    )


def _reasons_table(reasons: pd.DataFrame, asking: Asking) -> Table:
    return Table(
        title="Why customers left",
        columns=(Column("Reason given"), Column("Accounts", is_number=True), Column("MRR lost", is_number=True)),
        rows=tuple(
            (
                "none given" if is_missing(row["reason"]) else _cut(str(row["reason"]).capitalize()),
                f"{row['accounts']:,}",
                asking.money(row["mrr_lost"]),
            )
            for row in reasons.to_dict("records")
        ),
        empty="Nobody left this quarter.",
        note="As said in the last request to cancel.",
    )


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= LONGEST_REASON else one_line[: LONGEST_REASON - 1].rstrip() + "…"


def _quarters_table(quarters: pd.DataFrame, asking: Asking) -> Table:
    money = asking.money
    return Table(
        title="MRR, quarter by quarter",
        columns=(
            Column("Quarter"),
            Column("Opened with", is_number=True),
            *(Column(words.capitalize(), is_number=True) for words in kpi_charts.MOVEMENTS.values()),
            Column("Closed with", is_number=True),
        ),
        rows=tuple(
            (
                f"Q{(row['quarter'].month + 2) // 3} {row['quarter'].year}",
                money(row["opening_mrr"]),
                *(money.signed(row[kind]) for kind in kpi_charts.MOVEMENTS),
                money(row["closing_mrr"]),
            )
            for row in reversed(quarters.to_dict("records"))
        ),
        empty="Nothing was paid.",
    )


def _cohorts_table(cohorts: pd.DataFrame) -> Table:
    """A row a quarter in which accounts first paid; what lies ahead is empty."""
    found = {(row["cohort"], int(row["age"])): row for row in cohorts.to_dict("records")}
    quarters = sorted({cohort for cohort, _ in found}, reverse=True)
    rows = []
    for quarter in quarters:
        size = next(found[quarter, age]["accounts"] for age in AGES if (quarter, age) in found)
        cells = [
            share(found[quarter, age]["retained"] / found[quarter, age]["accounts"]) if (quarter, age) in found else ""
            for age in AGES
        ]
        rows.append((f"Q{(quarter.month + 2) // 3} {quarter.year}", f"{size:,}", *cells))
    return Table(
        title="Logos kept, by quarter of first payment",
        columns=(
            Column("First paid"),
            Column("Accounts", is_number=True),
            *(Column(f"After {age} month{'s' if age > 1 else ''}", is_number=True) for age in AGES),
        ),
        rows=tuple(rows),
        empty="No account first paid in these quarters.",
        note="A cell is empty until the youngest account of the quarter has reached that age.",
    )


def _cohorts_chart(cohorts: pd.DataFrame) -> Iterator[Figure]:
    rows = pd.DataFrame(
        {
            "cohort": [f"{cohort.year} Q{(cohort.month + 2) // 3}" for cohort in cohorts["cohort"]],
            "age": [f"M{age}" for age in cohorts["age"]],
            "kept": (cohorts["retained"] / cohorts["accounts"]).astype(float),
        }
    )
    if rows.empty:
        return
    last_age = cohorts["age"].max()
    oldest = cohorts[cohorts["age"] == last_age]
    kept = float(oldest["retained"].sum()) / float(oldest["accounts"].sum())
    base = alt.Chart(rows).encode(
        x=alt.X("age:O", title=None, sort=[f"M{age}" for age in AGES], axis=alt.Axis(labelAngle=0)),
        y=alt.Y("cohort:O", title=None, sort="descending"),
    )
    boxes = base.mark_rect().encode(
        color=alt.Color("kept:Q", title=None, scale=alt.Scale(scheme="yellowgreen", domain=[0.5, 1]), legend=None)
    )
    words = base.mark_text(fontSize=12, color="#12181f").encode(text=alt.Text("kept:Q", format=".0%"))
    chart = (boxes + words).properties(width=kpi_charts.WIDTH - 100, height=max(60, 28 * rows["cohort"].nunique()))
    yield Figure("cohorts", f"After {count(int(last_age), 'month')} {share(kept)} of accounts still pay.", chart)


def _notes(totals: Row, asking: Asking) -> list[str]:
    if not totals["unscored_mrr"]:
        return []
    return [
        f"Of {asking.money(totals['unscored_mrr'])} of the lost MRR there was no score in the week before its month."
    ]
