"""Summary of a scored week, counted while it is written."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from cs_pipeline.health.risk_signals import Booleans
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND
from cs_pipeline.health.weekly import WeeklyScores
from cs_pipeline.history.score_rows import NOT_SCORED

BINS = 20


@dataclass
class ScoreSummary:
    """Scores of a week, of one model or of all that count."""

    accounts: int = 0
    """Rows written: one for each account that the mart has in the week (and the scope)."""
    bands: Counter[str] = field(default_factory=Counter)
    """Accounts per band, and under NOT_SCORED those without a score."""
    known: Counter[str] = field(default_factory=Counter)
    """Accounts per metric whose value is known."""
    distribution: list[int] = field(default_factory=lambda: [0] * BINS)
    """Scored accounts per twentieth of the scale, from 0."""
    total_coverage: float = 0.0
    total_score: float = 0.0

    @property
    def coverage(self) -> float | None:
        """Mean coverage; None without accounts."""
        return self.total_coverage / self.accounts if self.accounts else None

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores; None without any."""
        scored = self.accounts - self.bands[NOT_SCORED]
        return self.total_score / scored if scored else None

    def add(self, model: ScoreModel, weekly: WeeklyScores, chosen: Booleans) -> None:
        """Count the chosen accounts of one chunk."""
        names = [*(band.band for band in model.bands), NOT_SCORED]
        bands = weekly.band[chosen]
        for name, count in zip(names, np.bincount(bands % len(names), minlength=len(names)), strict=True):
            self.bands[name] += int(count)
        is_known = ~np.isnan(weekly.scores.points[chosen])
        for name, count in zip(model.metric_names, is_known.sum(axis=0), strict=True):
            self.known[name] += int(count)
        scored = weekly.score[chosen][bands != NO_BAND]
        bins = np.minimum(scored // (100 / BINS), BINS - 1).astype(np.int64)
        self.distribution = (np.array(self.distribution) + np.bincount(bins, minlength=BINS)).tolist()
        self.accounts += int(chosen.sum())
        self.total_coverage += float(weekly.scores.coverage[chosen].sum())
        self.total_score += float(scored.sum())


@dataclass
class WeekSummary:
    """What scoring a week came to."""

    week: date
    active: ScoreSummary = field(default_factory=ScoreSummary)
    """The scores that count, one an account."""
    by_model: dict[str, ScoreSummary] = field(default_factory=dict)
    """All scores of each model that was computed, whether they count or not."""
    is_stale: bool = False
    """The week's events did not arrive."""
    held: int = 0
    """Accounts whose score that counts is held from an earlier week, because the week's data did not arrive."""
