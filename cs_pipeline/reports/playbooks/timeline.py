"""The timeline of a playbook, as SVG: a row for each step, the day from left to right, the channel by colour."""

import hashlib

import altair as alt
import pandas as pd
import vl_convert

from cs_pipeline.channels.registry import KINDS

FONT = "Helvetica, Arial, sans-serif"


def timeline(steps: pd.DataFrame) -> str:
    """Steps as they come: columns position, title, day, channel, waits (for approval; such a mark is hollow).

    The last line says from which steps it was drawn, so that whether it is up to date can be told on a machine with
    other fonts.
    """
    used = set(steps["channel"])
    shown = [name for name, kind in KINDS.items() if not kind.is_rare or name in used]
    row = alt.Y("title:N", sort=alt.EncodingSortField("position", op="min"), title=None, axis=alt.Axis(labelLimit=320))
    base = alt.Chart(steps).encode(x=alt.X("day:Q", title="day", axis=alt.Axis(tickMinStep=1)), y=row)
    colour = alt.Color(
        "channel:N",
        scale=alt.Scale(domain=shown, range=[KINDS[name].colour for name in shown]),
        legend=alt.Legend(title=None, orient="top"),
    )
    sent = base.transform_filter("!datum.waits").mark_point(size=110, filled=True, opacity=1).encode(color=colour)
    waits = base.transform_filter("datum.waits").mark_point(size=100, strokeWidth=2.2).encode(color=colour)
    chart = (
        (sent + waits).properties(width=430, height=alt.Step(22)).configure(font=FONT).configure_view(strokeOpacity=0)
    )
    return f"{vl_convert.vegalite_to_svg(chart.to_json())}\n{drawn_from(steps)}\n"


def drawn_from(steps: pd.DataFrame) -> str:
    """The last line of the timeline of `steps`."""
    return f"<!-- drawn from {hashlib.sha256(steps.to_csv(index=False).encode()).hexdigest()[:16]} -->"
