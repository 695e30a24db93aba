"""Choose the few metrics of a score model: those that tell more than chance would, beside the ones chosen before.

Here belong the penalty for each metric, what is no candidate, and why one was left out. Evidence of a metric in a part
of the time is worked out from the other parts, so that a metric of noise gains nothing from its own steps. Metrics
enter one at a time by the score test, its variance made over accounts (Liang and Zeger 1986), and have to tell more
than the Bayesian information criterion charges for one (Schwarz 1978), where what counts is the accounts that left. Of
metrics of noise that lets in about one in a hundred; stricter charges kept true causes out where few had left.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.backtest.design import CLOCKS
from cs_pipeline.backtest.falling_rates import departure_rates
from cs_pipeline.backtest.measures import Floats, too_few
from cs_pipeline.backtest.single_metrics import telltale
from cs_pipeline.fitting.steps import UNKNOWN, Bins, Integers, cut, evidence
from cs_pipeline.health.metrics import METRICS

BLOCKS = 4
"""Parts of the time that evidence is held back from."""
KNOWN = 0.5
"""Share of the observations of which a metric has to be known."""
RESTATES = 0.8
"""Correlation from which one metric says what another says already."""
SMALLEST = 1e-9


@dataclass(frozen=True)
class Candidates:
    """Metrics that a model may get, with all that choosing among them needs."""

    names: tuple[str, ...]
    bins: tuple[Bins, ...]
    codes: NDArray[np.int16]
    """(n, m) bin of each observation in each metric; UNKNOWN where it is missing."""
    outcome: NDArray[np.bool_]
    accounts: Integers
    """(n,) number of the account of each observation; observations are ordered by it."""
    blocks: Integers
    """(n,) part of the time of each observation."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why each other metric is no candidate."""

    def only(self, names: Collection[str], why: dict[str, str]) -> "Candidates":
        """The same with these metrics; `why` says of the others what keeps them out."""
        places = [place for place, name in enumerate(self.names) if name in names]
        return replace(
            self,
            names=tuple(self.names[place] for place in places),
            bins=tuple(self.bins[place] for place in places),
            codes=self.codes[:, places],
            left_out=self.left_out | why,
        )

    def of_accounts(self, drawn: Integers) -> "Candidates":
        """The same with the observations of the accounts `drawn`, each as often as it was drawn."""
        starts = np.searchsorted(self.accounts, drawn)
        lengths = np.searchsorted(self.accounts, drawn, side="right") - starts
        rows = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) + np.arange(lengths.sum())
        return Candidates(
            self.names,
            self.bins,
            self.codes[rows],
            self.outcome[rows],
            np.repeat(np.arange(len(drawn)), lengths),
            self.blocks[rows],
        )


@dataclass(frozen=True)
class Choice:
    """The metrics that were chosen, and how much each told beside those before it."""

    names: tuple[str, ...]
    told: dict[str, float]
    """Chi-squared of each candidate: when it was chosen, or at the end, beside all that were."""
    penalty: float
    """Chi-squared that a metric has to exceed."""


def candidates(
    rows: pd.DataFrame, asked: Sequence[str], *, leave_out: Collection[str] = (), keep: Collection[str] = ()
) -> Candidates:
    """Metrics of `asked` that may be chosen, cut into bins of the observations `rows` (as the backtest reads them).

    `leave_out` are none; neither are those that restate one of `keep`, which may be moved by the calendar only.
    """
    rows = rows.sort_values(["account_id", "week"], kind="stable")
    outcome, accounts = rows["departs"].to_numpy(bool), rows["account_id"].to_numpy()
    left_out = {
        name: reason for name in asked if (reason := _reason(rows, name, outcome, accounts, is_asked_for=name in keep))
    } | {name: "was to be left out" for name in asked if name in leave_out}
    names = tuple(name for name in asked if name not in left_out)
    bins = tuple(cut(rows[name].to_numpy(float)) for name in names)
    codes = [each.of(rows[name].to_numpy(float)) for name, each in zip(names, bins, strict=True)]
    found = Candidates(
        names,
        bins,
        np.column_stack(codes).astype(np.int16) if codes else np.empty((len(rows), 0), np.int16),
        outcome,
        rows.groupby("account_id", sort=False).ngroup().to_numpy(),
        _blocks(rows["week"]),
        left_out,
    )
    restated = {
        name: f"restates {METRICS[kept].words}, which was to be kept"
        for kept in names
        if kept in keep
        for name in names
        if name not in keep and relation(found, name, kept) >= RESTATES
    }
    return found.only([name for name in names if name not in restated], restated) if restated else found


def relation(among: Candidates, one: str, other: str) -> float:
    """How far one metric says what the other says: correlation of their bins, 0 to 1."""
    first, second = (among.codes[:, among.names.index(name)] for name in (one, other))
    both = (first != UNKNOWN) & (second != UNKNOWN)
    if both.sum() <= 2 or not np.ptp(first[both]) or not np.ptp(second[both]):
        return 0.0
    return abs(float(np.corrcoef(first[both], second[both])[0, 1]))


def choose(among: Candidates, most: int) -> Choice:
    """At most `most` metrics, best first."""
    if not among.names:
        return Choice((), {}, 0.0)
    told = np.column_stack([_held_back(among, column) for column in range(len(among.names))])
    left = min(len(np.unique(among.accounts[has])) for has in (among.outcome, ~among.outcome))
    penalty = float(np.log(left))
    chosen: list[int] = []
    strength = dict.fromkeys(among.names, 0.0)
    risk = np.full(len(among.outcome), among.outcome.mean())
    while True:
        found = _score_test(told, chosen, risk, among)
        strength |= {name: float(found[place]) for place, name in enumerate(among.names) if place not in chosen}
        best = int(np.where(np.isin(np.arange(len(found)), chosen), -np.inf, found).argmax())
        if len(chosen) == min(most, len(among.names)) or found[best] <= penalty:
            break
        chosen.append(best)
        weights, risk = fitted(told[:, chosen], among.outcome)
        chosen = [place for place, weight in zip(chosen, weights[1:], strict=True) if weight > 0]
        if best not in chosen:
            break
    return Choice(tuple(among.names[place] for place in chosen), strength, penalty)


def fitted(told: Floats, outcome: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Weights (1 + k,) of a logistic regression of departures on evidence (n, k), level first; and the risk (n,).

    A weight that would be negative is 0: no metric counts against what it says.
    """
    design = np.column_stack([np.ones(len(outcome)), -told])
    free = np.ones(design.shape[1], dtype=bool)
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(outcome.mean() / (1 - outcome.mean()))
    while True:
        weights[free] = _newton(design[:, free], outcome, weights[free])
        is_negative = free & (weights < 0)
        is_negative[0] = False
        if not is_negative.any():
            return weights, _logistic(design @ weights)
        free &= ~is_negative
        weights[~free] = 0.0


def why_left_out(name: str, choice: Choice, among: Candidates) -> str:
    """Why a metric is not in the model; of one that is, the empty string."""
    if name in choice.names:
        return ""
    if name in among.left_out:
        return among.left_out[name]
    for other in choice.names:
        if (related := relation(among, name, other)) >= RESTATES:
            return f"restates {METRICS[other].words} (correlation {related:.2f})"
    return f"tells nothing more for sure (chi-squared {choice.told[name]:.1f}, needed {choice.penalty:.1f})"


def _reason(
    rows: pd.DataFrame, name: str, outcome: NDArray[np.bool_], accounts: NDArray[np.generic], *, is_asked_for: bool
) -> str:
    """Why a metric is no candidate; empty for one that is."""
    values = rows[name].to_numpy(float)
    is_known = ~np.isnan(values)
    if name in CLOCKS and not is_asked_for:
        return "only the calendar moves it"
    if METRICS[name].healthier == "either":
        return "nobody expects more of it, or less, to be healthier"
    if is_known.mean() < KNOWN:
        return f"known in {is_known.mean():.0%} of the observations, and {KNOWN:.0%} are needed"
    if reason := too_few(outcome[is_known], accounts[is_known]):
        return f"where it is known, {reason}"
    if len(np.unique(values[is_known])) == 1:
        return "has one value for everybody"
    if telltale(rows, name):
        return "seems to know the outcome: it tells who left almost without error"
    return ""


def _blocks(weeks: pd.Series) -> Integers:
    """Part of the time (n,) of each observation: BLOCKS of as many observations each, a week in one of them."""
    places = weeks.rank(method="min", pct=True).to_numpy()
    return np.minimum((places * BLOCKS - SMALLEST).astype(np.int64), BLOCKS - 1)


def _held_back(among: Candidates, column: int) -> Floats:
    """Evidence (n,) of a metric, in each part of the time from the other parts; 0 where it is missing."""
    size, codes = len(among.bins[column]), among.codes[:, column]
    known = codes != UNKNOWN
    places = among.blocks[known] * size + codes[known]
    observations = np.bincount(places, minlength=BLOCKS * size).reshape(BLOCKS, size).astype(float)
    departures = np.bincount(places, among.outcome[known], minlength=BLOCKS * size).reshape(BLOCKS, size)
    is_more = METRICS[among.names[column]].healthier == "more"
    table = np.zeros((BLOCKS, size + 1))  # the last column is for UNKNOWN
    for block in range(BLOCKS):
        left, looked_at = departures.sum(0) - departures[block], observations.sum(0) - observations[block]
        base = float(left.sum() / max(looked_at.sum(), 1))  # theirs: a part with more departures is no evidence
        if not 0 < base < 1:
            continue
        rates = departure_rates(left, looked_at, base, is_more_healthier=is_more)
        table[block, :size] = evidence(rates, base)
    return table[among.blocks, codes]


def _score_test(told: Floats, chosen: list[int], risk: Floats, among: Candidates) -> Floats:
    """Chi-squared (m,) of adding each metric; negative where it would count against what it says."""
    spread = risk * (1 - risk)
    base = np.column_stack([np.ones(len(risk)), told[:, chosen]])
    weighed = base * spread[:, np.newaxis]
    rest = told - base @ np.linalg.lstsq(weighed.T @ base, weighed.T @ told, rcond=None)[0]
    pulls = rest * (risk - among.outcome)[:, np.newaxis]
    starts = np.flatnonzero(np.diff(among.accounts, prepend=-1))
    by_account = np.add.reduceat(pulls, starts, axis=0)
    total, variance = by_account.sum(0), np.square(by_account).sum(0)
    return np.sign(total) * np.square(total) / np.maximum(variance, SMALLEST)


def _newton(design: Floats, outcome: NDArray[np.bool_], start: Floats) -> Floats:
    """Weights that make the outcome likeliest; a ridge of one departure keeps them finite where all is told apart."""
    weights, ridge = start.copy(), np.eye(design.shape[1])
    ridge[0, 0] = 0.0
    for _ in range(25):
        risk = _logistic(design @ weights)
        slope = design.T @ (risk - outcome) + ridge @ weights
        curve = (design * (risk * (1 - risk))[:, np.newaxis]).T @ design + ridge
        step = np.linalg.solve(curve, slope)
        weights -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _logistic(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
