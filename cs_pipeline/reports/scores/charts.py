"""Charts of scores, as PNG: their distribution, how they move, which metrics are known. No data access."""

import altair as alt
import pandas as pd

from cs_pipeline.reports.charts import NOT_SCORED_COLOUR, SEVERITY_COLOURS, as_png, nothing_to_draw

NEUTRAL = "#5b7fa6"


def score_distribution(scores: pd.DataFrame) -> bytes:
    """How many accounts have which score, coloured by band.

    `scores`: columns score_from (lower edge of a ten-point bin), band, severity, accounts. An empty frame gives an
    empty chart with its axes.
    """
    bands = scores[["band", "severity"]].drop_duplicates().sort_values("severity")
    colours = [SEVERITY_COLOURS.get(int(severity), NOT_SCORED_COLOUR) for severity in bands["severity"]]
    chart = (
        alt.Chart(scores, title="Accounts by score")
        .mark_bar()
        .encode(
            x=alt.X("score_from:O", title="score, in steps of ten", sort="ascending"),
            y=alt.Y("accounts:Q", title="accounts"),
            color=alt.Color(
                "band:N", title="band", sort=list(bands["band"]),
                scale=alt.Scale(domain=list(bands["band"]), range=colours),
            ),
        )
        .properties(width=420, height=220)
    )  # fmt: skip
    return as_png(chart)


def likelihood_by_score(steps: pd.DataFrame) -> bytes:
    """How likely accounts of each score are to leave, with the interval.

    `steps`: columns score_from, score_to, likelihood, low, high.
    """
    base = alt.Chart(steps, title="Likelihood of leaving within 90 days").encode(
        x=alt.X("score_from:Q", title="score", scale=alt.Scale(domain=[0, 100])), x2="score_to:Q"
    )
    share = alt.Axis(format="%")
    reach = base.mark_rect(opacity=0.25, color=NEUTRAL).encode(y=alt.Y("low:Q", title=None, axis=share), y2="high:Q")
    stated = base.mark_rule(color=NEUTRAL, strokeWidth=3).encode(y=alt.Y("likelihood:Q", axis=share))
    return as_png((reach + stated).properties(width=420, height=200))


def stability_over_time(shifts: pd.DataFrame) -> bytes:
    """Population stability index of each metric and of the score. `shifts`: columns week, metric, psi."""
    rows = shifts[["week", "metric", "psi"]].assign(week=pd.to_datetime(shifts["week"]))
    lines = (
        alt.Chart(rows, title="How far distributions are from before (0.25 is much)")
        .mark_line()
        .encode(x=alt.X("week:T", title=None), y=alt.Y("psi:Q", title="stability index"), color="metric:N")
    )
    much = alt.Chart(pd.DataFrame({"psi": [0.25]})).mark_rule(strokeDash=[4, 3], color="#6b7680").encode(y="psi:Q")
    return as_png((lines + much).properties(width=520, height=220))


def bands_over_time(bands: pd.DataFrame) -> bytes:
    """Accounts per band, week by week. `bands`: columns week (date), band, severity, accounts."""
    order = bands[["band", "severity"]].drop_duplicates().sort_values("severity")
    colours = [SEVERITY_COLOURS.get(int(severity), NOT_SCORED_COLOUR) for severity in order["severity"]]
    chart = (
        alt.Chart(bands.assign(week=pd.to_datetime(bands["week"])), title="Bands over time")
        .mark_area()
        .encode(
            x=alt.X("week:T", title=None),
            y=alt.Y("accounts:Q", title="accounts", stack="zero"),
            color=alt.Color(
                "band:N", title="band", sort=list(order["band"]),
                scale=alt.Scale(domain=list(order["band"]), range=colours),
            ),
            order=alt.Order("severity:Q"),
        )
        .properties(width=520, height=220)
    )  # fmt: skip
    return as_png(chart)


def quantiles_over_time(quantiles: pd.DataFrame) -> bytes:
    """The distribution of scores, week by week. `quantiles`: columns week, p10, p25, p50, p75, p90."""
    if quantiles.empty:
        return nothing_to_draw("No score in these weeks")
    base = alt.Chart(quantiles.assign(week=pd.to_datetime(quantiles["week"])), title="Scores over time").encode(
        x=alt.X("week:T", title=None)
    )
    scale = alt.Scale(domain=[0, 100])
    outer = base.mark_area(opacity=0.25, color=NEUTRAL).encode(
        y=alt.Y("p10:Q", title="score: median, middle half, middle four fifths", scale=scale), y2="p90:Q"
    )
    inner = base.mark_area(opacity=0.4, color=NEUTRAL).encode(y=alt.Y("p25:Q", scale=scale), y2="p75:Q")
    line = base.mark_line(color=NEUTRAL).encode(y=alt.Y("p50:Q", scale=scale))
    return as_png((outer + inner + line).properties(width=520, height=220))


def band_flows(flows: pd.DataFrame) -> bytes:
    """Accounts that changed band, week by week. `flows`: columns week, flow (as `Green → Yellow`), severity_change,
    accounts; what got worse hangs below the line.
    """
    if flows.empty:
        return nothing_to_draw("No account changed band in these weeks")
    signed = flows.assign(
        week=pd.to_datetime(flows["week"]),
        moved=flows["accounts"].where(flows["severity_change"] <= 0, -flows["accounts"]),
        way=flows["severity_change"].map(lambda change: "worse" if change > 0 else "better"),
    )
    chart = (
        alt.Chart(signed, title="Changes of band, week by week")
        .mark_bar()
        .encode(
            x=alt.X("week:T", title=None),
            y=alt.Y("moved:Q", title="accounts: better above, worse below"),
            color=alt.Color("flow:N", title=None),
        )
        .properties(width=520, height=220)
    )
    return as_png(chart)


def drivers_of_falls(drivers: pd.DataFrame) -> bytes:
    """What drove the largest falls of a week. `drivers`: columns account, driver, effect, fall."""
    if drivers.empty:
        return nothing_to_draw("No score fell in this week")
    chart = (
        alt.Chart(drivers, title="The largest falls, and what drove them")
        .mark_bar()
        .encode(
            x=alt.X("effect:Q", title="effect on the score"),
            y=alt.Y("account:N", title=None, sort=alt.EncodingSortField("fall", op="min")),
            color=alt.Color("driver:N", title=None),
        )
        .properties(width=460, height=alt.Step(20))
    )
    return as_png(chart)


def coverage_by_metric(coverage: pd.DataFrame) -> bytes:
    """For how many accounts each metric of the models is known. `coverage`: columns model, metric, known (0 to 1)."""
    if coverage.empty:
        return nothing_to_draw("No model was computed")
    chart = (
        alt.Chart(coverage, title="Known metrics")
        .mark_bar(color=NEUTRAL)
        .encode(
            x=alt.X("known:Q", title="share of accounts", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("metric:N", title=None, sort="x"),
            row=alt.Row("model:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
        )
        .resolve_scale(y="independent")
        .properties(width=320, height=alt.Step(14))
    )
    return as_png(chart)
