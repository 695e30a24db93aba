"""Fit a score model to the departures of a book, and judge it on weeks that it has not learned from.

The earlier part of the time teaches, the later part judges, with the embargo between them that the backtest has: the
file that is written is the very one that was judged. Nothing is applied.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from cs_pipeline.backtest.baselines import Risks, Split, risks, split_in_time
from cs_pipeline.backtest.comparison import ModelResult, judge, read_quarterly
from cs_pipeline.backtest.departures import Departures, count_departures
from cs_pipeline.backtest.design import CLOCKS, Design
from cs_pipeline.backtest.measures import NoAnswer, TooLittle, share_in_words, shares, too_few
from cs_pipeline.backtest.observations import metrics_of, read_last_weeks, read_observations
from cs_pipeline.errors import UserError
from cs_pipeline.fitting.bands import cut_bands, cut_ripe
from cs_pipeline.fitting.scorecard import Scorecard, as_score_model, make_scorecard
from cs_pipeline.fitting.selection import RESTATES, Candidates, candidates, relation, why_left_out
from cs_pipeline.fitting.stability import RESAMPLINGS, Stability, resample, stable
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse

MOST_METRICS = 8
ONE_BAND = [{"band": "Yellow", "from": 0, "severity": 1}]


@dataclass(frozen=True)
class FittedModel:
    """A score model made from what happened, and how it does beside others on the later part of the time."""

    model: ScoreModel
    design: Design
    card: Scorecard
    split: Split
    learned_from: int
    """Accounts that left among those it has learned from."""
    known_departures: Departures
    left_out: dict[str, str]
    """Why each other metric of the marts is not in it, in the order of the catalogue."""
    questions: list[str]
    """What only a person can decide: which of two metrics that say the same, and those that time alone moves."""
    stability: dict[str, Stability]
    bands: pd.DataFrame
    """Departures by band in the earlier part, which the bands were cut from: as `measures.shares` gives them."""
    judged: ModelResult
    """On the later part, beside the baselines, which had all candidates to learn from."""
    others: list[ModelResult]
    """Other models on the same observations."""


def fit_model(
    warehouse: Warehouse,
    design: Design,
    name: str,
    others: Sequence[ScoreModel] = (),
    *,
    most: int = MOST_METRICS,
    keep: Collection[str] = (),
    leave_out: Collection[str] = (),
    resamplings: int = RESAMPLINGS,
    on_resampled: Callable[[], None] = lambda: None,
) -> FittedModel | TooLittle:
    """A model of at most `most` metrics from the weeks of `design`, under this name.

    Of metrics that restate each other one of `keep` is taken, none of `leave_out` ever. For an outcome that people wish
    for, more points make it likelier.

    TooLittle where too few left to learn from, or no metric tells who does. Raises UserError when there is nothing to
    look at.
    """
    observations = read_observations(warehouse, design, others)
    if observations.empty:
        raise UserError(f"There is nothing to look at in {design.words}")
    split = split_in_time(observations)
    train = split.train
    outcome = train["departs"].to_numpy(bool)
    if reason := too_few(outcome, train["account_id"].to_numpy()):
        return TooLittle(f"in the earlier part, up to {split.test_from.date()}, {reason}")
    names = metrics_of(observations)
    if unknown := [name for name in (*keep, *leave_out) if name not in names]:
        raise UserError(
            f"The marts have no metric {unknown[0]!r}; the numeric columns of fct_account_weeks are metrics"
        )
    taught = train.assign(departs=~train["departs"]) if design.is_wished_for else train
    among = candidates(taught, names, keep=keep, leave_out=leave_out)
    everything = among
    asked = among.names
    with threadpool_limits(1):  # the same sums in the same order, whatever the machine
        card = make_scorecard(among, most)
        if not card.metrics:
            return TooLittle(_nothing_tells(among.names, card))
        stability = resample(among, most, resamplings, on_resampled)
        if resamplings:
            among = stable(among, stability, [each.metric for each in card.metrics])
            card = make_scorecard(among, most)
        if not card.metrics:
            return TooLittle("no metric is chosen often enough when accounts are drawn anew")
    model, bands = _model(card, taught, train, name, design, split)
    last_weeks = read_last_weeks(
        warehouse, split.test.loc[split.test["departs"], "account_id"], [model, *others], design.outcome
    )
    quarterly = read_quarterly(warehouse, design, [model, *others])
    learned: dict[str, Risks | NoAnswer] = risks(split, asked)
    chosen = {each.metric for each in card.metrics}
    return FittedModel(
        model=model,
        design=design,
        card=card,
        split=split,
        learned_from=int(train.loc[outcome, "account_id"].nunique()),
        known_departures=count_departures(warehouse, design, observations),
        left_out={
            each: why_left_out(each, card.choice, among) or "would weigh next to nothing"
            for each in names
            if each not in chosen
        },
        questions=_questions(everything, card),
        stability=stability,
        bands=bands,
        judged=judge(model, split.test, split, learned, last_weeks, quarterly, design),
        others=[judge(each, split.test, split, {}, last_weeks, quarterly, design) for each in others],
    )


def _questions(among: Candidates, card: Scorecard) -> list[str]:
    asked = []
    for each in (each.metric for each in card.metrics):
        twins = {name: relation(among, name, each) for name in among.names if name != each}
        said = ", ".join(f"{name} ({share:.2f})" for name, share in twins.items() if share >= RESTATES)
        if said:
            asked.append(f"{each} says the same as {said}: `--keep` the one that people understand and can move")
        if each.startswith("days_since_") or each in CLOCKS:
            asked.append(f"{each} grows while nobody does anything: is that meant? Else `--leave-out {each}`")
    return asked


def _model(
    card: Scorecard, taught: pd.DataFrame, train: pd.DataFrame, name: str, design: Design, split: Split
) -> tuple[ScoreModel, pd.DataFrame]:
    """The scorecard with bands as the earlier part has them, and how many of each band left there."""
    scores = Arithmetic(as_score_model(card, model=name, title=name, bands=ONE_BAND)).score(train)
    is_scored = ~np.isnan(scores.score)
    rows = train[is_scored]
    outcome = taught.loc[is_scored, "departs"].to_numpy(bool)
    cut = cut_ripe if design.is_wished_for else cut_bands
    bands = cut(scores.score[is_scored], outcome, rows["account_id"].to_numpy())
    model = as_score_model(
        card,
        model=name,
        title=f"Fitted to {design.outcome}s up to {split.test_from.date()}".replace("churns", "churn"),
        bands=bands,
        learned_until=split.test_from.date(),
        at_risk_from=_at_risk_from(bands, design),
    )
    positions = pd.Categorical.from_codes(
        Arithmetic(model).bands(scores.score[is_scored]), pd.Index([band.band for band in model.bands])
    )
    table = shares(rows["departs"], pd.Series(positions, rows.index))
    return model.changed(description=_description(card, table, design, split)), table


def _description(card: Scorecard, bands: pd.DataFrame, design: Design, split: Split) -> str:
    said = ", ".join(
        f"{row['group']} {share_in_words(row['share'], row['low'], row['high'])}" for row in bands.to_dict("records")
    )
    return (
        f"Made by `cs-pipeline model fit` from {design.words}; it has learned from what was known by "
        f"{split.test_from.date()}. {card.halves_after:.0f} points more {odds_in_words(design)}. "
        f"Observations followed by {'an expansion' if design.is_wished_for else 'a departure'} there: {said}."
    )


def odds_in_words(design: Design) -> str:
    """What so many points more do."""
    return "double the odds of it" if design.is_wished_for else "halve the odds of leaving"


def _at_risk_from(bands: Sequence[Mapping[str, str | float | int]], design: Design) -> int:
    """Nobody is at risk of what people wish for."""
    if design.is_wished_for:
        return 3
    return 2 if any(int(band["severity"]) >= 2 for band in bands) else 1


def _nothing_tells(names: Sequence[str], card: Scorecard) -> str:
    if not names:
        return "no metric is known of accounts enough to be a candidate"
    name, told = max(card.choice.told.items(), key=lambda each: each[1])
    return (
        f"none of {len(names)} metrics tells for sure who leaves; the nearest is {name} (chi-squared {told:.1f}, "
        f"needed {card.choice.penalty:.1f})"
    )
