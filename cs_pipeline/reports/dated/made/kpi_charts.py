"""Charts of KPIs, for reports: what changed MRR month by month, retention beside its targets."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from cs_pipeline.kpis.definition import KpiBook
from cs_pipeline.reports.dated.asking import Asking
from cs_pipeline.reports.dated.report import Figure
from cs_pipeline.reports.dated.words import count, moved, share
from cs_pipeline.sql_files import read_sql

MOVEMENTS = {
    "new": "new",
    "reactivation": "reactivation",
    "expansion": "expansion",
    "contraction": "contraction",
    "churn": "churn",
}
MOVEMENT_COLOURS = {
    "new": "#1f6f5c",
    "reactivation": "#7fb8a6",
    "expansion": "#4b8fd6",
    "contraction": "#e0a13a",
    "churn": "#cf4446",
}
RETENTION_WORDS = {"nrr": "NRR", "grr": "GRR"}
RETENTION_COLOURS = {"nrr": "#4b8fd6", "grr": "#1f6f5c"}
WIDTH, HEIGHT = 540, 220


def months_axis(title: str | None = None) -> alt.X:
    """Months as words, in their order."""
    return alt.X("month:O", title=title, axis=alt.Axis(labelAngle=-40))


def mrr_bridge(bridge: pd.DataFrame, asking: Asking) -> Sequence[Figure]:
    """Bars of what was won above the line and what was lost below it."""
    if bridge.empty:
        return ()
    rows = pd.DataFrame(
        [
            {"month": f"{row['month']:%Y-%m}", "movement": words, "mrr": float(row[kind]), "place": place}
            for row in bridge.to_dict("records")
            for place, (kind, words) in enumerate(MOVEMENTS.items())
            if row[kind]
        ],
        columns=["month", "movement", "mrr", "place"],
    )
    net = float(bridge["closing_mrr"].iloc[-1]) - float(bridge["opening_mrr"].iloc[0])
    lost = -float(bridge["contraction"].sum() + bridge["churn"].sum())
    finding = (
        f"MRR changed by {asking.money.signed(net)} over {count(len(bridge), 'month')}: "
        f"{asking.money(net + lost)} won, {asking.money(lost)} lost to contraction and churn."
    )
    bars = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=months_axis(),
            y=alt.Y("sum(mrr):Q", title="change of MRR", axis=alt.Axis(format="~s")),
            color=alt.Color(
                "movement:N",
                title=None,
                scale=alt.Scale(domain=[*MOVEMENT_COLOURS], range=[*MOVEMENT_COLOURS.values()]),
            ),
            order=alt.Order("place:Q"),
        )
    )
    line = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color="#566473").encode(y="zero:Q")
    return (Figure("mrr_bridge", finding, (bars + line).properties(width=WIDTH, height=HEIGHT)),)


def retention_by_month(asking: Asking, months: int) -> pd.DataFrame:
    """NRR and GRR of the last months, up to that of the period."""
    return asking.ask(read_sql(__file__, "retention"), {"month": asking.period.last_month, "months": months})


def retention(values: pd.DataFrame, book: KpiBook) -> Sequence[Figure]:
    """NRR and GRR over twelve months as lines, their targets dashed."""
    if values.empty:
        return ()
    rows = values.assign(
        month=[f"{month:%Y-%m}" for month in values["month"]],
        value=values["value"].astype(float),
        retention=[RETENTION_WORDS[kpi] for kpi in values["kpi"]],
    )
    told = []
    for kpi, words in RETENTION_WORDS.items():
        of_kpi = rows.loc[rows["kpi"] == kpi, "value"]
        if len(of_kpi):
            told.append(moved(words, of_kpi.iloc[0] if len(of_kpi) > 1 else None, of_kpi.iloc[-1], share))
    shown = [kpi for kpi in RETENTION_WORDS if (rows["kpi"] == kpi).any()]
    scale = alt.Scale(domain=[RETENTION_WORDS[kpi] for kpi in shown], range=[RETENTION_COLOURS[kpi] for kpi in shown])
    lines = (
        alt.Chart(rows[["month", "value", "retention"]])
        .mark_line(point=True)
        .encode(
            x=months_axis(),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
            color=alt.Color("retention:N", title=None, scale=scale),
        )
    )
    bounds = pd.DataFrame(
        [
            {"bound": target.bound, "retention": RETENTION_WORDS[kpi]}
            for kpi in shown
            if (target := book.target(kpi)) is not None
        ],
        columns=["bound", "retention"],
    )
    dashed = (
        alt.Chart(bounds)
        .mark_rule(strokeDash=[4, 4])
        .encode(y="bound:Q", color=alt.Color("retention:N", title=None, scale=scale))
    )
    chart = (lines + dashed if len(bounds) else alt.layer(lines)).properties(width=WIDTH, height=HEIGHT)
    dashes = " Targets are dashed." if len(bounds) else ""
    return (Figure("retention", f"{'; '.join(told)}, each over twelve months.{dashes}", chart),)
