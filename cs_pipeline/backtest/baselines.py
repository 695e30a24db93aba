"""Three baselines: what can be learned from the same metrics. Never used to score.

A logistic regression, gradient boosting, and the one metric that separates best. They are trained on the earlier part
of the time and judged on the later part, as are the models beside them. An embargo lies between: an observation trains
only if its outcome was known when the first tested one was made.

A baseline that learned nothing gives everybody the same risk, which looks like an AUC of exactly 0.5: it says why, and
gives no figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from cs_pipeline.backtest.design import TEST_SHARE
from cs_pipeline.backtest.measures import (
    TINY,
    DidNotLearn,
    Floats,
    NoAnswer,
    TooLittle,
    auc_interval,
    separates,
    single_auc,
    too_few,
)
from cs_pipeline.health.metrics import METRICS

LOGISTIC = "logistic regression"
BOOSTING = "gradient boosting"
SINGLE = "best single metric"
BASELINES = (LOGISTIC, BOOSTING, SINGLE)
MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Split:
    """Observations by time. Those of the embargo are in neither part."""

    test_from: pd.Timestamp
    train: pd.DataFrame
    test: pd.DataFrame


def split_in_time(observations: pd.DataFrame) -> Split:
    """The last TEST_SHARE of the time tests; what was known by its first observation trains."""
    observed_on = observations["observed_on"]
    starts = observed_on.min() + (observed_on.max() - observed_on.min()) * (1 - TEST_SHARE)
    test = observations[observed_on >= starts]
    test_from = test["observed_on"].min()
    train = observations[(observed_on < test_from) & (observations["known_on"] <= test_from)]
    return Split(test_from, train, test)


@dataclass(frozen=True)
class Risks:
    """What a baseline says of the tested observations."""

    values: Floats
    """(n,) higher for those that it takes for leavers; on no particular scale."""
    learned: str = ""
    """In words, where that is one thing: the metric."""


def risks(split: Split, metrics: Sequence[str]) -> dict[str, Risks | NoAnswer]:
    """What each baseline, having learned from the earlier part, says of the later one."""
    train = split.train
    outcome, accounts = train["departs"].to_numpy(bool), train["account_id"].to_numpy()
    if reason := too_few(outcome, accounts):
        return dict.fromkeys(BASELINES, TooLittle(f"in the earlier part, {reason}"))
    told = [name for name in metrics if train[name].notna().any()]
    if not told:
        return dict.fromkeys(BASELINES, TooLittle("in the earlier part, no metric is known"))
    if not any(train[name].nunique(dropna=False) > 1 for name in told):
        return dict.fromkeys(BASELINES, DidNotLearn("in the earlier part each metric has one value for everybody"))
    known, asked = train[told].to_numpy(float), split.test[told].to_numpy(float)
    with threadpool_limits(1):  # on busy cores, threads that wait for each other take ten times as long
        learned: dict[str, Risks | NoAnswer] = {
            name: _learned(each, known, outcome, accounts, asked) for name, each in _untrained().items()
        }
    return learned | {SINGLE: _best_single(split, told, outcome, accounts)}


def _learned(
    baseline: Pipeline | HistGradientBoostingClassifier,
    known: Floats,
    outcome: np.ndarray,
    accounts: np.ndarray,
    asked: Floats,
) -> Risks | DidNotLearn:
    """Its risks, or why it has none. The log-odds, not the probability: of that, many round to exactly 0 or 1."""
    baseline.fit(known, outcome)
    before = cast("Floats", baseline.decision_function(known))
    if np.ptp(before) < TINY:
        return DidNotLearn("in the earlier part no metric gave it a reason to tell one account from another")
    if isinstance(baseline, Pipeline) and max(getattr(baseline[-1], "n_iter_")) >= MOST_ITERATIONS:  # noqa: B009
        return DidNotLearn(f"its fit did not settle within {MOST_ITERATIONS:,} iterations")
    if (found := auc_interval(outcome, before, accounts)).low <= 0.5:
        return DidNotLearn(f"it does not tell apart even the accounts that it learned from (AUC {found})")
    values = cast("Floats", baseline.decision_function(asked))
    if len(values) and np.ptp(values) < TINY:
        return DidNotLearn("all that it learned from is alike for everybody in the later part")
    return Risks(values)


def _best_single(split: Split, told: Sequence[str], outcome: np.ndarray, accounts: np.ndarray) -> Risks | DidNotLearn:
    """The metric that separates best in the earlier part, by its direction there; a missing value is its median."""
    aucs = {}
    for name in sorted(told):
        values = split.train[name].to_numpy(float)
        is_known = ~np.isnan(values)
        if not too_few(outcome[is_known], accounts[is_known]):
            aucs[name] = single_auc(outcome, values)
    best = max(aucs, key=lambda name: separates(aucs[name]), default=None)
    if best is None:
        return DidNotLearn("in the earlier part each metric is known of too few accounts")
    if separates(aucs[best]) - 0.5 < TINY:
        return DidNotLearn("in the earlier part each metric has one value for everybody")
    direction = 1.0 if aucs[best] > 0.5 else -1.0
    values = direction * split.test[best].fillna(split.train[best].median()).to_numpy(float)
    if len(values) and np.ptp(values) < TINY:
        return DidNotLearn(f"{METRICS[best].words}, the best of the earlier part, is alike for everybody in the later")
    return Risks(values, METRICS[best].words)


def _untrained() -> dict[str, Pipeline | HistGradientBoostingClassifier]:
    """Plain settings on purpose: a baseline that is tuned to the data says less about what the metrics hold."""
    return {
        LOGISTIC: make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True),
            StandardScaler(),
            LogisticRegression(max_iter=MOST_ITERATIONS),
        ),
        BOOSTING: HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_leaf_nodes=15,
            l2_regularization=1.0,
            early_stopping=False,  # pyright: ignore[reportArgumentType]
            random_state=0,
        ),
    }
