"""What plays did, as a chart: a difference with its interval for each playbook and measure. No arithmetic."""

import altair as alt
import pandas as pd
import vl_convert

from cs_pipeline.backtest.measures import Interval
from cs_pipeline.backtest.uplift import Uplift

COLOURS = {"helps": "#1f6f5c", "no difference shown": "#8a8f98", "harms": "#b5493a"}


def differences(found: list[Uplift]) -> bytes | None:
    """As PNG; shares in points of 100. None where everything is too small to tell."""
    rows = pd.DataFrame(
        [_row(uplift, uplift.difference) for uplift in found if isinstance(uplift.difference, Interval)]
    )
    if rows.empty:
        return None
    colour = alt.Color(
        "verdict:N", title=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top"),
    )  # fmt: skip
    base = alt.Chart(rows).encode(y=alt.Y("playbook:N", title=None), color=colour)
    zero = alt.Chart(rows).mark_rule(strokeDash=[3, 3], color="#8a8f98").encode(x=alt.datum(0))
    reach = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="enrolled minus held out"), x2="high:Q")
    mean = base.mark_point(size=70, filled=True, opacity=1).encode(x="value:Q")
    chart = (
        (zero + reach + mean)
        .properties(width=240, height=alt.Step(28))
        .facet(column=alt.Column("measure:N", title=None, sort=list(dict.fromkeys(rows["measure"]))))
        .resolve_scale(x="independent")
        .properties(title="What plays did, with 95 % intervals")
    )
    return vl_convert.vegalite_to_png(chart.to_json(), scale=2)


def _row(uplift: Uplift, difference: Interval) -> dict[str, object]:
    factor, unit = (100, "points of 100") if uplift.measure.is_share else (1, "points")
    return {
        "playbook": uplift.playbook,
        "measure": f"{uplift.measure.name} ({unit})",
        "value": factor * difference.value,
        "low": factor * difference.low,
        "high": factor * difference.high,
        "verdict": uplift.verdict,
    }
