"""Charts as PNG, for the Dagster UI, mail and Slack. One altair specification each; no data access."""

import base64

import altair as alt
import pandas as pd
import vl_convert

SEVERITY_COLOURS = {0: "#2e9e6b", 1: "#e3b341", 2: "#e0803a", 3: "#cf4446"}
NOT_SCORED_COLOUR = "#9aa4ad"


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
    return vl_convert.vegalite_to_png(chart.to_json(), scale=2)


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
    return vl_convert.vegalite_to_png(chart.to_json(), scale=2)


def as_markdown(png: bytes, title: str) -> str:
    """A PNG as a Markdown image that carries its own data."""
    return f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"
