"""Accounts for tests of scores: single ones in full health, and any number of them at random."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.scoring import Arithmetic, Floats
from cs_pipeline.health.specification import ScoreModel

WEEKLY_POINTS = load_score_model("weekly_points")
ARITHMETIC = Arithmetic(WEEKLY_POINTS)

HEALTHY: dict[str, float | None] = {
    "seat_utilisation": 1.0,
    "core_features_used": 5,
    "logged_in_7d": 1,
    "opened_last_3_emails": 1,
    "attended_training_ever": 1,
    "days_to_renewal": 200,
    "nps_response": 10,
    "worst_open_ticket": 0,
}


def frame(*accounts: Mapping[str, float | None]) -> pd.DataFrame:
    """Rows as the mart has them; what an account does not say is as in HEALTHY."""
    return pd.DataFrame([{**HEALTHY, **account} for account in accounts], dtype="float64")


def score_of(**values: float | None) -> float:
    """Score of one account that is healthy but for `values`."""
    return float(ARITHMETIC.score(frame(values)).score[0])


VALUES = [
    st.floats(0, 2),
    st.integers(0, 8).map(float),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 1.0]),
    st.integers(-60, 400).map(float),
    st.floats(0, 10),
    st.sampled_from([0.0, 1.0, 2.0]),
]


def metric_values(accounts: int = 4) -> st.SearchStrategy[Floats]:
    """Any values of the metrics of weekly_points, each possibly missing: an array (accounts, 8)."""
    account = st.tuples(*(st.none() | value for value in VALUES))
    return st.lists(account, min_size=accounts, max_size=accounts).map(lambda rows: np.array(rows, dtype=float))


def simple_model(*dimensions: tuple[float, dict[str, float]]) -> ScoreModel:
    """A model with linear metrics from 0 to 1: for each dimension its points, and the points of its metrics."""
    return ScoreModel.model_validate(
        {
            "model": "simple",
            "title": "Simple",
            "bands": [{"band": "Good", "from": 50, "severity": 0}, {"band": "Poor", "from": 0, "severity": 2}],
            "dimensions": [
                {
                    "dimension": f"part_{number}",
                    "points": points,
                    "cap": "clip" if sum(metrics.values()) > points else None,
                    "metrics": [
                        {"metric": name, "unit": METRICS[name].unit, "points": most, "linear": {"none": 0, "full": 1}}
                        for name, most in metrics.items()
                    ],
                }
                for number, (points, metrics) in enumerate(dimensions)
            ],
        }
    )
