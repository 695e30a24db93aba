"""Charts of alerts, as PNG: what is open, and what fired week by week. No data access.

That of scorecards is in `scorecard_chart`: their measures take seconds to import.
"""

import altair as alt
import pandas as pd

from cs_pipeline.alerts.rule import SEVERITIES, Severity
from cs_pipeline.reports.charts import SEVERITY_COLOURS, as_png, nothing_to_draw

COLOURS = dict(zip(SEVERITIES, [SEVERITY_COLOURS[3], SEVERITY_COLOURS[2], SEVERITY_COLOURS[1], "#5b7fa6"], strict=True))
"""Of bars, by severity of the alert."""
MOST_RULES = 25
"""Rules that a chart has room for."""


def open_by_severity(counts: pd.DataFrame) -> bytes:
    """Open alerts of each rule, coloured by severity. `counts`: columns rule, severity, alerts (`open_by_rule`)."""
    if counts.empty:
        return nothing_to_draw("No alert is open")
    rules = list(counts["rule"].drop_duplicates())
    shown = counts[counts["rule"].isin(rules[:MOST_RULES])]
    beside = f", the {MOST_RULES} rules with most of {len(rules)}" if len(rules) > MOST_RULES else ""
    chart = (
        alt.Chart(shown, title=f"Open alerts{beside}")
        .mark_bar()
        .encode(
            x=alt.X("alerts:Q", title="open alerts", axis=alt.Axis(tickMinStep=1, format=",d")),
            y=alt.Y("rule:N", title=None, sort=rules, axis=alt.Axis(labelLimit=260)),
            color=_by_severity(shown),
        )
        .properties(width=420, height=alt.Step(18))
    )
    return as_png(chart)


def fired_week_by_week(counts: pd.DataFrame) -> bytes:
    """Alerts that fired, a bar a week. `counts`: columns week, severity, alerts (`fired_by_week`)."""
    if counts.empty:
        return nothing_to_draw("No alert fired in these weeks")
    chart = (
        alt.Chart(counts.assign(week=pd.to_datetime(counts["week"])), title="Alerts fired, week by week")
        .mark_bar(size=14)
        .encode(
            x=alt.X("week:T", title="weeks from their Monday", axis=alt.Axis(format="%-d %b")),
            y=alt.Y("alerts:Q", title="alerts that fired", axis=alt.Axis(tickMinStep=1, format=",d")),
            color=_by_severity(counts),
        )
        .properties(width=520, height=200)
    )
    return as_png(chart)


def _by_severity(counts: pd.DataFrame) -> alt.Color:
    found = set(counts["severity"])
    severities: list[Severity] = [severity for severity in SEVERITIES if severity in found]
    scale = alt.Scale(domain=severities, range=[COLOURS[severity] for severity in severities])
    return alt.Color("severity:N", title="severity", sort=severities, scale=scale)
