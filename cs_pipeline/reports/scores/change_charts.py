"""Charts about how scores move and what is known, as PNG. One altair specification each; no data access."""

import altair as alt
import pandas as pd
import vl_convert

BETTER, WORSE = "#2e9e6b", "#cf4446"
NEUTRAL = "#5b7fa6"


def quantiles_over_time(quantiles: pd.DataFrame) -> bytes:
    """The distribution of scores, week by week. `quantiles`: columns week, p10, p25, p50, p75, p90."""
    if quantiles.empty:
        return _nothing("No score in these weeks")
    base = alt.Chart(quantiles.assign(week=pd.to_datetime(quantiles["week"])), title="Scores over time").encode(
        x=alt.X("week:T", title=None)
    )
    scale = alt.Scale(domain=[0, 100])
    outer = base.mark_area(opacity=0.25, color=NEUTRAL).encode(
        y=alt.Y("p10:Q", title="score: median, middle half, middle four fifths", scale=scale), y2="p90:Q"
    )
    inner = base.mark_area(opacity=0.4, color=NEUTRAL).encode(y=alt.Y("p25:Q", scale=scale), y2="p75:Q")
    line = base.mark_line(color=NEUTRAL).encode(y=alt.Y("p50:Q", scale=scale))
    return _png((outer + inner + line).properties(width=520, height=220))


def band_flows(flows: pd.DataFrame) -> bytes:
    """Accounts that changed band, week by week. `flows`: columns week, flow (as `Green → Yellow`), severity_change,
    accounts; what got worse hangs below the line.
    """
    if flows.empty:
        return _nothing("No account changed band in these weeks")
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
    return _png(chart)


def drivers_of_falls(drivers: pd.DataFrame) -> bytes:
    """What drove the largest falls of a week. `drivers`: columns account, driver, effect, fall."""
    if drivers.empty:
        return _nothing("No score fell in this week")
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
    return _png(chart)


def coverage_by_metric(coverage: pd.DataFrame) -> bytes:
    """For how many accounts each metric of the models is known. `coverage`: columns model, metric, known (0 to 1)."""
    if coverage.empty:
        return _nothing("No model was computed")
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
    return _png(chart)


def _nothing(words: str) -> bytes:
    """A chart that says why there is none."""
    text = alt.Chart(pd.DataFrame({"words": [words]})).mark_text(fontSize=14, color="#6b7680").encode(text="words:N")
    return _png(text.properties(width=420, height=60))


def _png(chart: alt.TopLevelMixin) -> bytes:
    return vl_convert.vegalite_to_png(chart.to_json(), scale=2)
