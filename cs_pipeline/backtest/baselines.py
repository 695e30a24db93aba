"""Two baselines: what a logistic regression and gradient boosting reach with the same metrics. Never used to score.

They are trained on the earlier part of the time and judged on the later part, as are the models beside them. An
embargo lies between: an observation trains only if its outcome was known when the first tested one was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from cs_pipeline.backtest.design import TEST_SHARE
from cs_pipeline.backtest.measures import Floats, TooLittle, too_few

LOGISTIC = "logistic regression"
BOOSTING = "gradient boosting"
BASELINES = (LOGISTIC, BOOSTING)


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


def risks(split: Split, metrics: Sequence[str]) -> dict[str, Floats | TooLittle]:
    """Risk (0 to 1) of each tested observation, by baseline; TooLittle when there is too little to learn from."""
    outcome = split.train["departs"].to_numpy(bool)
    if reason := too_few(outcome, split.train["account_id"].to_numpy()):
        return dict.fromkeys(BASELINES, TooLittle(f"in the earlier part, {reason}"))
    told = [name for name in metrics if split.train[name].notna().any()]
    if not told:
        return dict.fromkeys(BASELINES, TooLittle("in the earlier part, no metric is known"))
    known, asked = split.train[told].to_numpy(float), split.test[told].to_numpy(float)
    with threadpool_limits(1):  # on busy cores, threads that wait for each other take ten times as long
        return {name: each.fit(known, outcome).predict_proba(asked)[:, 1] for name, each in _untrained().items()}


def _untrained() -> dict[str, Pipeline | HistGradientBoostingClassifier]:
    """Plain settings on purpose: a baseline that is tuned to the data says less about what the metrics hold."""
    return {
        LOGISTIC: make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True),
            StandardScaler(),
            LogisticRegression(max_iter=1000),
        ),
        BOOSTING: HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_leaf_nodes=15,
            l2_regularization=1.0,
            early_stopping=False,  # pyright: ignore[reportArgumentType]
            random_state=0,
        ),
    }
