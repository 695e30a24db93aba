"""Other weights for a score model, proposed from what happened: constrained, explained, and never applied.

Weights are fitted on the earlier part of the time and held against the present ones on the later part, row by row the
same. Each stays within REACH of what it is, none is negative, and all add up to 100: the model stays the one that
people know. No account that has a score loses it: that holds of all that was looked at, and of the newest week. What is
fitted is the score itself, with its forms, caps and missing metrics, by the likelihood of the departures, and with a
prior that holds each weight where it is unless the data says otherwise.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cs_pipeline.backtest.baselines import Risks, Split, risks, split_in_time
from cs_pipeline.backtest.coverage import KnownMetrics, known_metrics, scored
from cs_pipeline.backtest.departures import Departures, count_departures
from cs_pipeline.backtest.design import Design
from cs_pipeline.backtest.measures import (
    Floats,
    Interval,
    NoAnswer,
    Separation,
    TooLittle,
    auc_gain,
    separation,
    too_few,
)
from cs_pipeline.backtest.observations import read_newest_week, read_observations
from cs_pipeline.backtest.single_metrics import refuse_telltales
from cs_pipeline.errors import UserError
from cs_pipeline.health.reweighting import weighed, weights_of, with_weights
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse

REACH = 0.5
"""Furthest that a weight moves, as a share of what it is."""
PRIOR = 0.25
"""By how much a weight is thought to be wrong before any data is seen, as a share of what it is (one sigma)."""
STEP = 0.25
"""Weights are multiples of this: exact in binary, so that they add up, and short to write."""
PRESENT, PROPOSED = "present weights", "proposed weights"


@dataclass(frozen=True)
class Weight:
    """A metric's weight before and after."""

    dimension: str
    metric: str
    before: float
    after: float
    earned: tuple[float, float] | None
    """Mean share of its points that leavers and stayers had; None where it is known of too few."""


@dataclass(frozen=True)
class Coverage:
    """Accounts of the newest week that have a score."""

    week: date
    accounts: int
    """All that there are."""
    before: int
    after: int
    lost: int
    """Those that have a score with the present weights only."""


@dataclass(frozen=True)
class Proposal:
    """A model with other weights, and how it does beside the present one on weeks that it has not learned from."""

    model: ScoreModel
    tuned: ScoreModel
    weights: tuple[Weight, ...]
    test_from: pd.Timestamp
    learned_from: int
    """Accounts that left among those it has learned from."""
    later: dict[str, Separation | NoAnswer]
    """PRESENT, PROPOSED and the baselines, on the later part."""
    gain: Interval | TooLittle
    """By how much the AUC of the proposed weights exceeds that of the present ones there."""
    coverage: Coverage
    known_departures: Departures

    def named(self, name: str) -> ScoreModel:
        """The proposed model under a name of its own, saying what it is."""
        source = self.model
        return self.tuned.changed(
            model=name,
            title=f"{source.title}, other weights",
            description=f"Weights proposed from departures known by {self.test_from.date()}, for {source.model} "
            f"(version {source.version}).",
            requirements=(),
            learned_until=max(self.test_from.date(), source.learned_until or date.min),
        )

    @property
    def is_changed(self) -> bool:
        """Some weight is another."""
        return any(abs(weight.after - weight.before) >= STEP for weight in self.weights)

    @property
    def is_better(self) -> bool:
        """The proposed weights separate better for sure."""
        return isinstance(self.gain, Interval) and self.gain.low > 0


def tune(warehouse: Warehouse, model: ScoreModel, design: Design) -> Proposal | TooLittle:
    """Weights for `model` from what happened in the weeks of `design`; TooLittle where too few left to learn from.

    Raises UserError when there is nothing to look at, when a metric of the model seems to know the outcome, or for an
    outcome that people wish for.
    """
    if design.is_wished_for:
        raise UserError(
            f"A model is not tuned for {design.outcome}: its weights tell who is worse off. "
            f"`cs-pipeline model fit --outcome {design.outcome}` makes one that tells who is ripe for it"
        )
    observations = read_observations(warehouse, design, [model])
    if observations.empty:
        raise UserError(f"There is nothing to look at in {design.words}")
    refuse_telltales(observations, model.metric_names)
    split = split_in_time(observations)
    learning = split.train[~np.isnan(Arithmetic(model).score(split.train).score)]
    outcome = learning["departs"].to_numpy(bool)
    if reason := too_few(outcome, learning["account_id"].to_numpy()):
        return TooLittle(f"in the earlier part, {reason}")
    newest = read_newest_week(warehouse, [model])
    known = known_metrics(model, [observations, newest], REACH)
    before = weights_of(model)
    after = _kept(before, _fitted(model, learning, outcome, known), known)
    tuned = with_weights(model, after)
    later, gain = _beside(model, tuned, split)
    return Proposal(
        model=model,
        tuned=tuned,
        weights=tuple(_explained(model, before, after, learning)),
        test_from=split.test_from,
        learned_from=int(learning.loc[outcome, "account_id"].nunique()),
        later=later,
        gain=gain,
        coverage=_coverage(model, tuned, newest),
        known_departures=count_departures(warehouse, design, observations),
    )


def _coverage(model: ScoreModel, tuned: ScoreModel, newest: pd.DataFrame) -> Coverage:
    before, after = scored(model, newest), scored(tuned, newest)
    return Coverage(
        week=newest["week"].iloc[0],
        accounts=len(newest),
        before=int(before.sum()),
        after=int(after.sum()),
        lost=int((before & ~after).sum()),
    )


def _fitted(model: ScoreModel, learning: pd.DataFrame, outcome: np.ndarray, known: KnownMetrics) -> Floats:
    """Weights that make the departures likeliest, within their limits; the prior pulls towards the present ones."""
    before, values = weights_of(model), Arithmetic(model).score(learning).metric_values
    sign = np.where(outcome, 1.0, -1.0)

    def loss(asked: Floats) -> float:
        level, slope, moves = asked[0], asked[1], asked[2:]
        arithmetic = Arithmetic(weighed(model, before * moves))
        score = arithmetic.totals(arithmetic.points(values)).score
        surprise = np.logaddexp(0.0, -sign * (level + slope * (50 - score) / 10)).sum()
        return float(surprise + np.square((moves - 1) / PRIOR).sum() / 2) / len(sign)

    base = float(outcome.mean())
    start = np.concatenate([[np.log(base / (1 - base)), 0.5], np.ones(len(before))])
    of_sum = np.concatenate([[0.0, 0.0], before])
    of_spare = np.hstack([np.zeros((len(known.patterns), 2)), known.patterns * before])
    found = minimize(
        loss,
        start,
        method="SLSQP",
        bounds=[(-20.0, 20.0), (0.1, 5.0), *[(1 - REACH, 1 + REACH)] * len(before)],
        constraints=[
            {"type": "eq", "fun": lambda asked: before @ asked[2:] - 100, "jac": lambda _: of_sum},
            {"type": "ineq", "fun": lambda asked: known.spare(before * asked[2:]), "jac": lambda _: of_spare},
        ][: 2 if len(known.patterns) else 1],
        options={"maxiter": 60, "ftol": 1e-7, "eps": 1e-5},
    )
    return before * found.x[2:]


def _kept(before: Floats, fitted: Floats, known: KnownMetrics) -> Floats:
    """The multiples of STEP nearest to `fitted`, on the way back to `before`, with which nobody loses a score."""
    for share in np.linspace(1, 0, 21):
        weights = _on_grid(before, before + share * (fitted - before))
        if known.keeps(weights):
            return weights
    return before


def _on_grid(before: Floats, weights: Floats) -> Floats:
    """`weights` as multiples of STEP within their limits, adding up to 100."""
    lowest = np.ceil((1 - REACH) * before / STEP - 1e-9)
    highest = np.floor((1 + REACH) * before / STEP + 1e-9)
    highest = np.maximum(highest, lowest)
    steps = np.clip(np.floor(weights / STEP + 1e-9), lowest, highest)
    while (left := round(100 / STEP - steps.sum())) != 0:
        want = (weights / STEP - steps) * np.sign(left)
        movable = steps < highest if left > 0 else steps > lowest
        steps[np.where(movable, want, -np.inf).argmax()] += np.sign(left)
    return steps * STEP


def _beside(
    model: ScoreModel, tuned: ScoreModel, split: Split
) -> tuple[dict[str, Separation | NoAnswer], Interval | TooLittle]:
    """Present and proposed weights and the baselines on the rows of the later part that both have a score for."""
    test = split.test
    present, proposed = (Arithmetic(each).score(test).score for each in (model, tuned))
    is_scored = ~np.isnan(present) & ~np.isnan(proposed)
    rows = test[is_scored]
    outcome, accounts = rows["departs"], rows["account_id"]
    usual = separation(outcome, -present[is_scored], accounts)
    answers: dict[str, Separation | NoAnswer] = {
        PRESENT: usual,
        PROPOSED: separation(outcome, -proposed[is_scored], accounts),
    }
    for name, risk in risks(split, sorted(model.metric_names)).items():
        said = separation(outcome, risk.values[is_scored], accounts) if isinstance(risk, Risks) else risk
        answers[name] = said
    if isinstance(usual, TooLittle):
        return answers, usual
    return answers, auc_gain(outcome, -present[is_scored], -proposed[is_scored], accounts)


def _explained(model: ScoreModel, before: Floats, after: Floats, learning: pd.DataFrame) -> list[Weight]:
    arithmetic = Arithmetic(model)
    points = arithmetic.score(learning).points
    departs = learning["departs"].to_numpy(bool)
    accounts = learning["account_id"].to_numpy()
    dimensions = [dimension.dimension for dimension in model.dimensions for _ in dimension.metrics]
    weights = []
    for column, metric in enumerate(model.metrics):
        share = points[:, column] / metric.points
        is_known = ~np.isnan(share)
        if too_few(departs[is_known], accounts[is_known]):
            earned = None
        else:
            earned = float(share[is_known & departs].mean()), float(share[is_known & ~departs].mean())
        weights.append(Weight(dimensions[column], metric.metric, float(before[column]), float(after[column]), earned))
    return weights
