"""Colours and formats that all charts share. The charts themselves are in the `charts` of each subject."""

import base64

import altair as alt
import pandas as pd
import vl_convert

SEVERITY_COLOURS = {0: "#2e9e6b", 1: "#e3b341", 2: "#e0803a", 3: "#cf4446"}
NOT_SCORED_COLOUR = "#9aa4ad"

Chart = alt.Chart | alt.LayerChart | alt.FacetChart


def as_png(chart: alt.TopLevelMixin) -> bytes:
    """A chart as PNG, at twice its size, for the Dagster UI, mail and Slack."""
    return vl_convert.vegalite_to_png(chart.to_json(), scale=2)


def as_svg(chart: alt.TopLevelMixin) -> str:
    """A chart as SVG, for a page."""
    return vl_convert.vegalite_to_svg(chart.to_json())


def as_markdown(png: bytes, title: str) -> str:
    """A PNG as a Markdown image that carries its own data."""
    return f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"


def nothing_to_draw(words: str) -> bytes:
    """A chart that says why there is none, as PNG."""
    text = alt.Chart(pd.DataFrame({"words": [words]})).mark_text(fontSize=14, color="#6b7680").encode(text="words:N")
    return as_png(text.properties(width=420, height=60))
