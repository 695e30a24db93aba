"""Ask whether the score that counts knows who leaves, or whether a single metric knows better.

Quick enough for every week: of large books a part is looked at, chosen by a hash of the account. What a whole backtest
says is in `comparison`.
"""

from dataclasses import dataclass

import pandas as pd

from cs_pipeline.backtest.design import WEEK, Design
from cs_pipeline.backtest.measures import Interval, Separation, TooLittle, auc_gain, separation
from cs_pipeline.backtest.observations import read_observations, weeks_of_marts
from cs_pipeline.backtest.single_metrics import single_metrics
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

LOOKED_BACK = 104
"""Newest weeks that are looked at."""
MOST_ACCOUNTS = 5_000
CLEARLY = 0.05
"""Difference in AUC, at the lower end of its interval, from which a single metric knows clearly more."""


@dataclass(frozen=True)
class Knowledge:
    """How well the active score separates, beside the metric that does best by itself on the same observations."""

    design: Design
    score: Separation | TooLittle
    best_metric: str
    """In words; empty where none can be judged."""
    best_auc: float
    gain: Interval | TooLittle
    """By how much the AUC of that metric exceeds that of the score."""

    @property
    def knows(self) -> bool:
        """False when the score tells less than chance would, or clearly less than one metric; True without outcomes."""
        if not isinstance(self.score, Separation) or not isinstance(self.gain, Interval):
            return True
        return self.score.auc.value > 0.5 and self.gain.low < CLEARLY

    @property
    def words(self) -> str:
        """In one or two sentences."""
        if not isinstance(self.score, Separation):
            return f"whether the score knows who leaves: {self.score}"
        figures = f"the score that counts tells leavers from stayers with an AUC of {self.score.auc}"
        beside = f"{self.best_metric} alone with {self.best_auc:.2f}"
        if self.knows:
            return f"{figures}, {beside}"
        return f"{figures}, {beside}: see `cs-pipeline model backtest`, and make a model with `cs-pipeline model fit`"


def what_the_score_knows(warehouse: Warehouse) -> Knowledge:
    """Look at the newest LOOKED_BACK weeks, four weeks before renewals and departures.

    Raises UserError when there are no marts.
    """
    first, last = weeks_of_marts(warehouse)
    design = Design(max(first, last - (LOOKED_BACK - 1) * WEEK), last)
    rows = read_observations(warehouse, design, most_accounts=MOST_ACCOUNTS)
    scores = query(
        warehouse,
        "select account_id, week, score from cs.active_scores where week between $1::date and $2::date",
        (design.first.isoformat(), design.last.isoformat()),
    ).assign(week=lambda each: pd.to_datetime(each["week"]))
    rows = rows.merge(scores, on=["account_id", "week"], how="left")
    rows = rows[rows["score"].notna()]
    score = separation(rows["departs"], -rows["score"], rows["account_id"])
    single = single_metrics(rows)
    if isinstance(score, TooLittle) or isinstance(single, TooLittle) or single.empty:
        return Knowledge(design, score, "", 0.5, TooLittle("no single metric can be judged"))
    best = single.iloc[0]
    values = rows[best["metric"]] * (1 if best["leavers_have"] == "more" else -1)
    known = rows[values.notna()]
    gain = auc_gain(known["departs"], -known["score"], values[values.notna()], known["account_id"])
    return Knowledge(design, score, METRICS[str(best["metric"])].words, float(best["separates"]), gain)
