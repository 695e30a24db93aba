"""Draw what alert rules were worth, as PNG: their lift beside chance. No data access."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from cs_pipeline.alerts.scorecard import Scorecard, Verdict
from cs_pipeline.reports.alerts.scorecard import LEVELS
from cs_pipeline.reports.charts import NOT_SCORED_COLOUR, SEVERITY_COLOURS, as_png, nothing_to_draw

LEVEL_COLOURS = {"good": SEVERITY_COLOURS[0], "weak": SEVERITY_COLOURS[1], "poor": SEVERITY_COLOURS[3]}


def lift_of_rules(cards: Sequence[Scorecard]) -> bytes:
    """Lift of each rule with its interval beside 1, which is chance; precision stands beside its name.

    Rules without a lift are not drawn.
    """
    rows = pd.DataFrame(
        [
            {
                "rule": f"{card.rule} ({card.precision.value:.0%} of {card.counted:,})",
                "verdict": card.verdict,
                "lift": card.lift.value,
                "low": card.lift.low,
                "high": card.lift.high,
            }
            for card in cards
            if card.lift is not None and card.precision is not None
        ]
    )
    if rows.empty:
        return nothing_to_draw("No rule has fired often enough to be held against what happened")
    rows = rows.sort_values("lift", ascending=False)
    found = set(rows["verdict"])
    verdicts: list[Verdict] = [verdict for verdict in LEVELS if verdict in found]
    base = alt.Chart(rows).encode(
        y=alt.Y("rule:N", title="rule, with its precision", sort=list(rows["rule"]), axis=alt.Axis(labelLimit=320)),
        color=alt.Color(
            "verdict:N",
            title=None,
            scale=alt.Scale(
                domain=verdicts,
                range=[LEVEL_COLOURS.get(LEVELS[verdict], NOT_SCORED_COLOUR) for verdict in verdicts],
            ),
        ),
    )
    chart = alt.layer(
        alt.Chart(pd.DataFrame({"chance": [1]})).mark_rule(strokeDash=[4, 3], color="#6b7680").encode(x="chance:Q"),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=alt.X("lift:Q", title="lift: how many times as often as anyway (dashed: chance)")
        ),
        title="What rules are worth",
    ).properties(width=420, height=alt.Step(18))
    return as_png(chart)
