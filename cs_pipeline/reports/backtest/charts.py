"""Charts of a backtest and of uplift. One altair specification each; no arithmetic."""

import altair as alt
import pandas as pd

from cs_pipeline.backtest.comparison import Backtest, ModelResult
from cs_pipeline.backtest.likelihood import Reliability
from cs_pipeline.backtest.measures import Interval, NoAnswer, Separation, TooLittle
from cs_pipeline.backtest.uplift import Uplift
from cs_pipeline.reports.charts import SEVERITY_COLOURS, Chart

MODEL_COLOUR = "#1f6f5c"
COLOURS = [MODEL_COLOUR, "#5b7fb5", "#b58a3c", "#8a6fa8"]
SHOWN_METRICS = 15
VERDICT_COLOURS = {"helps": "#1f6f5c", "no difference shown": "#8a8f98", "harms": "#b5493a"}


def separation_of_models(found: Backtest) -> Chart:
    """AUC with interval of each model on all weeks; models of which too little is known have no mark."""
    rows = [_row(result.model.model, "model", result.whole) for result in found.models]
    return _intervals(pd.DataFrame(rows), "How well each model separates (all weeks)", [MODEL_COLOUR])


def separation_beside_baselines(found: Backtest) -> Chart:
    """AUC with interval of each model and of its baselines, on the later part."""
    rows = [
        _row(result.model.model, who, answer)
        for result in found.models
        for who, answer in [
            ("model", result.later),
            *((name, baseline.separation) for name, baseline in result.baselines.items()),
        ]
    ]
    return _intervals(pd.DataFrame(rows), "Beside the baselines (later part of the time)", COLOURS)


def departures_by_band(result: ModelResult) -> Chart | None:
    """Share of each band's observations that a departure followed; None where there is too little data."""
    if isinstance(result.bands, TooLittle):
        return None
    severities = {band.band: band.severity for band in result.model.bands}
    rows = result.bands.assign(group=result.bands["group"].astype(str))
    order = list(rows["group"])
    colours = [SEVERITY_COLOURS[severities[name]] for name in order]
    colour = alt.Color("group:N", legend=None, scale=alt.Scale(domain=order, range=colours))
    return _columns(rows, alt.X("group:N", title="band", sort=order, axis=_upright()), colour, "Departures by band")


def departures_by_tenth(result: ModelResult) -> Chart | None:
    """Share of each tenth's observations that a departure followed; None where there is too little data."""
    if isinstance(result.tenths, TooLittle):
        return None
    rows = result.tenths.assign(
        scores=[
            f"{low:.0f}–{high:.0f}"
            for low, high in zip(result.tenths["score_from"], result.tenths["score_to"], strict=True)
        ]
    )
    axis = alt.X("scores:N", title="score, a tenth of observations each", sort=list(rows["scores"]), axis=_upright())
    return _columns(rows, axis, alt.value(MODEL_COLOUR), "Departures by score")


def reliability(found: Reliability | TooLittle) -> Chart | None:
    """Likelihoods of leaving as stated, beside how many left; on the dashed line they agree. None with too little."""
    if isinstance(found, TooLittle):
        return None
    most = float(max(found.table["stated"].max(), found.table["high"].max()))
    scale = alt.Scale(domain=[0, min(1.0, 1.05 * most)])
    stated = alt.X("stated:Q", title="stated", axis=alt.Axis(format="%"), scale=scale)
    base = alt.Chart().encode(x=stated)
    happened = alt.Y("share:Q", title="left within 90 days", axis=alt.Axis(format="%"), scale=scale)
    agreed = alt.Chart(pd.DataFrame({"at": [0.0, most]})).mark_line(strokeDash=[4, 4], color="#8b98a5")
    marks = base.mark_point(filled=True, size=70, opacity=1, color=MODEL_COLOUR).encode(y=happened)
    reach = base.mark_rule(color=MODEL_COLOUR).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    drawn = alt.layer(reach, marks, data=found.table.drop(columns=["observations", "departures"]))
    line = agreed.encode(x=alt.X("at:Q", scale=scale), y=alt.Y("at:Q", scale=scale))
    return alt.layer(line, drawn, title="Likelihood, stated and come true").properties(width=220, height=180)


def best_single_metrics(found: Backtest) -> Chart | None:
    """The metrics that separate best by themselves; None where there is too little data."""
    if isinstance(found.single_metrics, TooLittle):
        return None
    rows = found.single_metrics.head(SHOWN_METRICS)
    return (
        alt.Chart(rows, title="Metrics that separate best by themselves")
        .mark_bar()
        .encode(
            x=alt.X("separates:Q", title="AUC, in whichever direction", scale=alt.Scale(domain=[0.5, 1])),
            x2=alt.datum(0.5),
            y=alt.Y("words:N", title=None, sort=list(rows["words"]), axis=alt.Axis(labelLimit=260)),
            color=alt.Color(
                "leavers_have:N", title="those who leave have",
                scale=alt.Scale(domain=["less", "more"], range=["#5b7fb5", "#b58a3c"]),
            ),
        )
        .properties(width=360, height=20 * max(len(rows), 1))
    )  # fmt: skip


def uplift_differences(found: list[Uplift]) -> Chart | None:
    """Difference with interval for each playbook and measure; shares in points of 100. None where none is known."""
    rows = pd.DataFrame(
        [_difference_row(uplift, uplift.difference) for uplift in found if isinstance(uplift.difference, Interval)]
    )
    if rows.empty:
        return None
    colour = alt.Color(
        "verdict:N", title=None, scale=alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values())),
        legend=alt.Legend(orient="top"),
    )  # fmt: skip
    base = alt.Chart(rows).encode(y=alt.Y("playbook:N", title=None), color=colour)
    zero = alt.Chart(rows).mark_rule(strokeDash=[3, 3], color="#8a8f98").encode(x=alt.datum(0))
    reach = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="enrolled minus held out"), x2="high:Q")
    mean = base.mark_point(size=70, filled=True, opacity=1).encode(x="value:Q")
    return (
        (zero + reach + mean)
        .properties(width=240, height=alt.Step(28))
        .facet(column=alt.Column("measure:N", title=None, sort=list(dict.fromkeys(rows["measure"]))))
        .resolve_scale(x="independent")
        .properties(title="What plays did, with 95 % intervals")
    )


def _row(model: str, who: str, answer: Separation | NoAnswer) -> dict[str, object]:
    if not isinstance(answer, Separation):
        return {"model": model, "who": who, "auc": None, "low": None, "high": None}
    return {"model": model, "who": who, "auc": answer.auc.value, "low": answer.auc.low, "high": answer.auc.high}


def _intervals(rows: pd.DataFrame, title: str, colours: list[str]) -> Chart:
    who = list(dict.fromkeys(rows["who"]))
    colour = alt.Color(
        "who:N",
        title=None,
        sort=who,
        legend=None if len(who) == 1 else alt.Legend(),
        scale=alt.Scale(domain=who, range=colours[: len(who)]),
    )
    place = alt.Y("model:N", title=None, sort=list(dict.fromkeys(rows["model"])), axis=alt.Axis(labelLimit=220))
    beside = alt.YOffset("who:N", sort=who)
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(rows).encode(y=place, yOffset=beside, color=colour)
    low = alt.X("low:Q", scale=scale, title="AUC (0.5 is guessing)")
    reach = base.mark_rule(strokeWidth=2).encode(x=low, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("auc:Q", scale=scale))
    guessing = alt.Chart().mark_rule(strokeDash=[4, 4], color="#8b98a5").encode(x=alt.datum(0.5))
    height = max(26, 16 * len(who)) * rows["model"].nunique()
    return alt.layer(guessing, reach, points, data=rows, title=title).properties(width=420, height=height)


def _columns(rows: pd.DataFrame, axis: alt.X, colour: object, title: str) -> Chart:
    share = alt.Y("share:Q", title="followed by a departure", axis=alt.Axis(format="%"))
    base = alt.Chart(rows, title=title).encode(x=axis)
    columns = base.mark_bar().encode(y=share, color=colour)  # pyright: ignore[reportArgumentType]
    reach = base.mark_rule(color="#1d2733").encode(y="low:Q", y2="high:Q")
    return alt.layer(columns, reach).properties(width=max(40 * len(rows), 120), height=180)


def _upright() -> alt.Axis:
    return alt.Axis(labelAngle=0)


def _difference_row(uplift: Uplift, difference: Interval) -> dict[str, object]:
    factor, unit = (100, "points of 100") if uplift.measure.is_share else (1, "points")
    return {
        "playbook": uplift.playbook,
        "measure": f"{uplift.measure.name} ({unit})",
        "value": factor * difference.value,
        "low": factor * difference.low,
        "high": factor * difference.high,
        "verdict": uplift.verdict,
    }
