"""The scores of one model in one week as they are kept: with the band that counts, severity, and what a person set.

Here belongs what stands between the arithmetic of a score and its row: steadiness, escalation, overrides, signs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.health.risk_signals import Booleans, signals_of
from cs_pipeline.health.scoring import Arithmetic, Floats, Integers, Scores
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND, Standing, Steadiness, escalate, settle


@dataclass(frozen=True)
class Override:
    """What people set for n accounts; NaN and NO_BAND where they set nothing."""

    score: Floats
    band: Integers


@dataclass(frozen=True)
class EffectiveScores:
    """The scores that count for n accounts: a score (NaN without one), a band and a severity (NO_BAND without one)."""

    score: Floats
    band: Integers
    severity: Integers

    @classmethod
    def unknown(cls, accounts: int) -> "EffectiveScores":
        """Accounts without a score."""
        no_band = np.full(accounts, NO_BAND)
        return cls(np.full(accounts, np.nan), no_band, no_band.copy())


@dataclass(frozen=True)
class WeeklyScores:
    """Scores of n accounts in a week under one model."""

    scores: Scores
    """What the model says."""
    score: Floats
    """(n,) what counts: the model's score, or the one that a person set; NaN when not scored."""
    band: Integers
    """(n,) what counts; NO_BAND when not scored."""
    severity: Integers
    """(n,) 0 to 3; NO_BAND when not scored."""
    model_band: Integers
    """(n,) the band that the model says, steadiness included."""
    is_overridden: Booleans
    """(n,) a person's word is in it."""
    standing: Standing | None
    """What next week needs to know; None for a model that does not look back."""
    risks: Booleans
    """(n, risks of the model)."""
    opportunities: Booleans
    """(n, opportunities of the model)."""

    def __len__(self) -> int:
        return len(self.score)


def weekly_scores(
    arithmetic: Arithmetic, scores: Scores, before: Standing | None, earlier: Floats | None, override: Override
) -> WeeklyScores:
    """Scores as they are kept; `before` is asked for by a model that looks back, `earlier` by its escalation."""
    model = arithmetic.model
    standing = None
    band = scores.band
    if before is not None:
        steadiness = model.steadiness or Steadiness()
        standing = settle(steadiness, arithmetic.bounds, _score_of_bands(arithmetic, scores, steadiness), before)
        band = standing.band
    severity = severity_of(model, band)
    if model.escalation and standing is not None and earlier is not None:
        severity = escalate(model.escalation, severity, scores.score, standing.weeks_in_band, earlier)
    counts = overridden(arithmetic, EffectiveScores(scores.score, band, severity), override)
    return WeeklyScores(
        scores,
        counts.score,
        counts.band,
        counts.severity,
        band,
        is_overridden(counts, override),
        standing,
        signals_of(arithmetic, scores, model.risks),
        signals_of(arithmetic, scores, model.opportunities),
    )


def overridden(arithmetic: Arithmetic, model_says: EffectiveScores, override: Override) -> EffectiveScores:
    """What counts when people's words take the place of the model's; a band without any score sets nothing."""
    score = np.where(np.isnan(override.score), model_says.score, override.score)
    by_score = np.where(np.isnan(override.score), model_says.band, arithmetic.bands(override.score))
    band = np.where((override.band != NO_BAND) & ~np.isnan(score), override.band, by_score)
    counts = EffectiveScores(score, band, severity_of(arithmetic.model, band))
    by_hand = is_overridden(counts, override)
    return EffectiveScores(score, band, np.where(by_hand, counts.severity, model_says.severity))


def is_overridden(counts: EffectiveScores, override: Override) -> Booleans:
    """Where a person's word is in what counts."""
    return ~np.isnan(override.score) | ((override.band != NO_BAND) & ~np.isnan(counts.score))


def _score_of_bands(arithmetic: Arithmetic, scores: Scores, steadiness: Steadiness) -> Floats:
    """The scores that bands look at; without calendar metrics where the model leaves them out.

    Where nothing but calendar metrics is known, the score itself: nothing would be left to look at.
    """
    if steadiness.calendar == "counts":
        return scores.score
    points = scores.points.copy()
    for column, metric in enumerate(arithmetic.model.metrics):
        if metric.calendar != "never":
            points[:, column] = np.nan
    without_calendar = np.where(np.isnan(points).all(axis=1), scores.score, arithmetic.totals(points).score)
    return np.where(np.isnan(scores.score), np.nan, without_calendar)


def severity_of(model: ScoreModel, band: Integers) -> NDArray[np.int64]:
    """Severities (n,) of bands (n,); NO_BAND without one."""
    severities = np.array([band.severity for band in model.bands] + [NO_BAND])
    return severities[band]  # the last one is for NO_BAND, which is -1
