"""Charts of health, for reports: accounts by severity and their mean score, week by week."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from cs_pipeline.reports.charts import SEVERITY_COLOURS
from cs_pipeline.reports.dated.report import Figure
from cs_pipeline.reports.dated.words import SEVERITY_WORDS, count, moved, number, share

WIDTH, HEIGHT = 540, 220
_WEEK = alt.X("week:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=6, labelAngle=0))
PLAIN, BY_ARR = "each account alike", "weighed by ARR"


def severities(trend: pd.DataFrame) -> Sequence[Figure]:
    """Shares of accounts by severity as areas, the worst at the bottom."""
    if trend["week"].nunique() < 2:
        return ()
    rows = pd.DataFrame(
        {
            "week": [str(week) for week in trend["week"]],
            "severity": [SEVERITY_WORDS[int(severity)] for severity in trend["severity"]],
            "place": [-int(severity) for severity in trend["severity"]],
            "accounts": trend["accounts"].astype(int),
        }
    )
    healthy = trend[trend["severity"] == 0].groupby("week")["accounts"].sum()
    of_all = trend.groupby("week")["accounts"].sum().astype(float)
    shares = (healthy.reindex(of_all.index).fillna(0).astype(float)) / of_all
    finding = moved(
        f"The share of healthy accounts over {count(len(shares), 'week')}", shares.iloc[0], shares.iloc[-1], share
    )
    chart = (
        alt.Chart(rows)
        .mark_area()
        .encode(
            x=_WEEK,
            y=alt.Y("accounts:Q", stack="normalize", title="share of accounts", axis=alt.Axis(format="%")),
            color=alt.Color(
                "severity:N",
                title=None,
                scale=alt.Scale(domain=[*SEVERITY_WORDS.values()], range=[*SEVERITY_COLOURS.values()]),
            ),
            order=alt.Order("place:Q"),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return (Figure("severities", f"{finding}.", chart),)


def means(trend: pd.DataFrame) -> Sequence[Figure]:
    """The mean score, and the one by ARR, as lines: where they part, large accounts fare differently."""
    if trend["week"].nunique() < 2:
        return ()
    sums = trend.groupby("week")[["accounts", "score_sum", "score_arr_sum", "arr"]].sum().astype(float)
    plain = sums["score_sum"] / sums["accounts"]
    by_arr = (sums["score_arr_sum"] / sums["arr"]).where(sums["arr"] > 0)
    rows = pd.DataFrame(
        [
            {"week": str(week), "mean": words, "score": float(score)}
            for words, values in ((PLAIN, plain), (BY_ARR, by_arr))
            for week, score in values.items()
            if pd.notna(score)
        ]
    )
    finding = moved(f"The mean score over {count(len(plain), 'week')}", plain.iloc[0], plain.iloc[-1], number)
    gap = by_arr.iloc[-1] - plain.iloc[-1]
    beside = (
        ""
        if pd.isna(gap) or abs(gap) < 0.05
        else (f"; large accounts stand {number(abs(gap))} points {'above' if gap > 0 else 'below'} it")
    )
    chart = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            x=_WEEK,
            y=alt.Y("score:Q", title="mean score", scale=alt.Scale(zero=False)),
            color=alt.Color(
                "mean:N", title=None, scale=alt.Scale(domain=[PLAIN, BY_ARR], range=["#1f6f5c", "#4b8fd6"])
            ),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return (Figure("mean_score", f"{finding}{beside}.", chart),)
