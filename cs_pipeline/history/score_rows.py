"""Scores as rows of `cs.health_scores`, in Arrow."""

from datetime import date

import numpy as np
import pyarrow as pa

from cs_pipeline.health.risk_signals import Booleans
from cs_pipeline.health.scoring import Floats
from cs_pipeline.health.specification import ScoreModel, Signal
from cs_pipeline.health.steadiness import NO_BAND
from cs_pipeline.health.weekly import WeeklyScores

SCORED, NOT_SCORED = "scored", "not_scored"


def score_rows(
    model: ScoreModel,
    week: date,
    account_ids: pa.Array,
    weekly: WeeklyScores,
    *,
    is_active: Booleans,
    override_ids: Floats,
    carried: Booleans,
) -> pa.Table:
    """A row for each account. `carried` (n, m): the metric's value is of an earlier week.

    Columns that would be null for all of them are left out, and null in the table.
    """
    scores, accounts = weekly.scores, len(weekly)
    no_band = weekly.band == NO_BAND
    columns: dict[str, object] = {
        "week": pa.repeat(pa.scalar(week), accounts),
        "account_id": account_ids,
        "model": pa.repeat(model.model, accounts),
        "model_version": pa.repeat(model.version, accounts),
        "is_active": pa.array(is_active),
        "status": pa.array([SCORED, NOT_SCORED]).take(pa.array(no_band.astype(np.int8))),
        "score": pa.array(weekly.score, from_pandas=True),
        "band": _names(model, weekly.band),
        "severity": pa.array(weekly.severity, pa.int16(), mask=no_band),
        "coverage": scores.coverage,
        "metric_values": lists(scores.metric_values),
        "points": lists(scores.points),
        "contributions": lists(scores.contributions),
        "points_lost_to_cap": scores.points_lost,
        "dimension_scores": lists(scores.dimension_scores),
        "risks": _signals(model.risks, weekly.risks),
        "opportunities": _signals(model.opportunities, weekly.opportunities),
    }
    if carried.any():
        columns["carried"] = _listed(model.metric_names, carried)
    if weekly.is_overridden.any():
        by_hand = weekly.is_overridden
        columns["model_score"] = pa.array(scores.score, from_pandas=True, mask=~by_hand | np.isnan(scores.score))
        columns["model_band"] = _names(model, np.where(by_hand, weekly.model_band, NO_BAND))
        columns["override_id"] = pa.array(np.nan_to_num(override_ids).astype(np.int64), mask=~by_hand)
    if weekly.standing is not None:
        columns["weeks_in_band"] = pa.array(weekly.standing.weeks_in_band.astype(np.int16), mask=no_band)
        columns["leaning"] = pa.array(weekly.standing.leaning.astype(np.int16), mask=no_band)
    return pa.table(columns)


def lists(values: Floats) -> pa.ListArray:
    """Rows (n, m) as n Arrow lists; NaN becomes null."""
    accounts, columns = values.shape
    ends = np.arange(0, (accounts + 1) * columns, columns, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values.ravel(), from_pandas=True))


def _names(model: ScoreModel, positions: np.ndarray) -> pa.Array:
    is_none = positions == NO_BAND
    return pa.array([band.band for band in model.bands]).take(pa.array(np.where(is_none, 0, positions), mask=is_none))


def _signals(signals: tuple[Signal, ...], shown: Booleans) -> pa.ListArray:
    return _listed(tuple(signal.name for signal in signals), shown)


def _listed(names: tuple[str, ...], chosen: Booleans) -> pa.ListArray:
    """The names chosen in each row (n, names), in their order."""
    ends = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int32)
    places = np.nonzero(chosen)[1] if names else np.empty(0, np.int64)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(names, pa.string()).take(pa.array(places)))
