"""Single metrics: how well each separates by itself, and the refusal of one that separates too well.

A metric that tells leavers from stayers almost without error, well before the day, does not foresee: it was filled in
by somebody who knew, or is the outcome under another name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_pipeline.backtest.design import CLOCKS, FEWEST_ACCOUNTS, TELLTALE_AUC
from cs_pipeline.backtest.measures import TooLittle, separates, single_auc, too_few
from cs_pipeline.backtest.observations import metrics_of
from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS


@dataclass(frozen=True)
class Telltale:
    """What it is of a metric that seems to know the outcome, how well it separates, and how many accounts left."""

    what: str
    auc: float
    departed: int


def single_metrics(observations: pd.DataFrame) -> pd.DataFrame | TooLittle:
    """Columns metric, words, known (share), auc (of a high value), separates (in either direction), leavers_have.

    Best first. Metrics that too few accounts on either side have are left out.
    """
    outcome, accounts = observations["departs"].to_numpy(bool), observations["account_id"].to_numpy()
    if reason := too_few(outcome, accounts):
        return TooLittle(reason)
    rows = []
    for name in metrics_of(observations):
        values = observations[name].to_numpy(float)
        is_known = ~np.isnan(values)
        if too_few(outcome[is_known], accounts[is_known]):
            continue
        auc = single_auc(outcome, values)
        leavers_have = "more" if auc > 0.5 else "less"
        rows.append((name, METRICS[name].words, float(is_known.mean()), auc, separates(auc), leavers_have))
    table = pd.DataFrame(rows, columns=["metric", "words", "known", "auc", "separates", "leavers_have"])
    return table.sort_values(["separates", "metric"], ascending=[False, True], ignore_index=True)


def refuse_telltales(observations: pd.DataFrame, names: Iterable[str]) -> None:
    """Raise UserError when a metric of `names`, or its being known at all, separates with TELLTALE_AUC or better.

    Fewer than FEWEST_ACCOUNTS departures prove nothing, and are not judged. The values of CLOCKS are not either.
    """
    for name in names:
        if found := telltale(observations, name):
            raise UserError(
                f"{found.what} tells the {found.departed} departed accounts from the others almost without error "
                f"(AUC {found.auc:.3f}; from {TELLTALE_AUC} on nothing is believed, with {FEWEST_ACCOUNTS} departures "
                "or more). It seems to know the outcome: was it filled in afterwards? Correct the source or its "
                "`_loaded_at`, or leave the metric out of the model."
            )


def telltale(observations: pd.DataFrame, name: str) -> Telltale | None:
    """What of a metric tells leavers from stayers with TELLTALE_AUC or better: its values, or its being known."""
    outcome, accounts = observations["departs"].to_numpy(bool), observations["account_id"].to_numpy()
    values = observations[name].to_numpy(float)
    is_known = ~np.isnan(values)
    for what, judged, rows in (
        (f"The metric {name}", values, is_known),
        (f"Whether the metric {name} is known", is_known.astype(float), np.ones_like(is_known)),
    ):
        if (judged is values and name in CLOCKS) or too_few(outcome[rows], accounts[rows]):
            continue
        auc = separates(single_auc(outcome[rows], judged[rows]))
        if auc >= TELLTALE_AUC:
            return Telltale(what, auc, len(np.unique(accounts[outcome & rows])))
    return None
