"""A backtest as a whole: every model against what happened, and beside it what its metrics could have told.

A score model has learned nothing from these weeks, so it is judged on all of them. The baselines have: models and
baselines are compared on the later part only, row by row the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from cs_pipeline.backtest.baselines import Risks, Split, risks, split_in_time
from cs_pipeline.backtest.departures import Departures, count_departures
from cs_pipeline.backtest.design import BeforeRenewals, Design, InWeeksOfTheirOwn
from cs_pipeline.backtest.likelihood import Reliability, hold_against_outcomes
from cs_pipeline.backtest.measures import (
    Interval,
    NoAnswer,
    Separation,
    TooLittle,
    auc_gain,
    calibration,
    separation,
    shares,
    too_few,
    warning_weeks,
)
from cs_pipeline.backtest.observations import read_last_weeks, read_observations
from cs_pipeline.backtest.single_metrics import refuse_telltales, single_metrics
from cs_pipeline.errors import UserError
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse

CRITICAL = 3
IN_TIME_WEEKS = BeforeRenewals.lead_weeks


@dataclass(frozen=True)
class Part:
    """A segment or a cohort, and how well a model separates within it."""

    kind: str
    name: str
    observations: int
    departures: int
    answer: Separation | TooLittle


@dataclass(frozen=True)
class Alarm:
    """How long before departures the accounts' bands said so, and what that costs."""

    name: str
    """at risk, as the model counts it (C-10), or critical."""
    departed: int
    in_time: int
    """Accounts whose band was so, and stayed so, at least IN_TIME_WEEKS before they left."""
    median_weeks: float
    """Over all that left; 0 for one without warning."""
    share_of_stayers: float
    """Observations of accounts that stayed in which the band was so all the same."""


@dataclass(frozen=True)
class Baseline:
    """What a baseline reaches on the later part, and by how much it exceeds the model there."""

    separation: Separation | NoAnswer
    gain: Interval | NoAnswer
    learned: str = ""
    """In words, where it goes by one thing: the metric."""


@dataclass(frozen=True)
class ModelResult:
    """One model. Tables have the columns that `measures` gives."""

    model: ScoreModel
    scored: float
    """Share of the observations that have a score."""
    whole: Separation | TooLittle
    later: Separation | TooLittle
    baselines: dict[str, Baseline]
    bands: pd.DataFrame | TooLittle
    """Healthiest first; group is the band."""
    tenths: pd.DataFrame | TooLittle
    alarms: list[Alarm] | TooLittle
    parts: list[Part]
    reliability: Reliability | TooLittle
    """Likelihoods of leaving within 90 days, as they would have been stated week by week, against what happened."""


@dataclass(frozen=True)
class Backtest:
    """What a backtest came to."""

    design: Design
    observations: pd.DataFrame
    split: Split
    known_departures: Departures
    calendar: Separation | TooLittle
    """How well the week of an observation separates by itself: a late week taken for a high risk."""
    single_metrics: pd.DataFrame | TooLittle
    models: list[ModelResult]

    @cached_property
    def departures(self) -> int:
        """Accounts that left among those looked at, each counted once."""
        return int(self.observations.loc[self.observations["departs"], "account_id"].nunique())

    @cached_property
    def accounts(self) -> int:
        """Accounts that were looked at."""
        return int(self.observations["account_id"].nunique())


def backtest(
    warehouse: Warehouse,
    models: Sequence[ScoreModel],
    design: Design,
    on_model: Callable[[str], None] = lambda _: None,
) -> Backtest:
    """Hold `models` against what happened. `on_model` is told the name of each model before its turn.

    Raises UserError when there is nothing to look at, when the marts lack a metric of a model, or when a metric of a
    model seems to know the outcome.
    """
    observations = read_observations(warehouse, design, models)
    if observations.empty:
        raise UserError(
            f"There is nothing to look at in {design.words}: no account was observed then whose outcome is known by now"
        )
    refuse_telltales(observations, dict.fromkeys(name for model in models for name in model.metric_names))
    split = split_in_time(observations)
    last_weeks = read_last_weeks(
        warehouse, observations.loc[observations["departs"], "account_id"], models, design.outcome
    )
    quarterly = read_quarterly(warehouse, design, models)
    learned: dict[tuple[str, ...], dict[str, Risks | NoAnswer]] = {}
    results = []
    for model in models:
        on_model(model.model)
        metrics = tuple(sorted(set(model.metric_names)))
        if metrics not in learned:
            learned[metrics] = risks(split, metrics)
        results.append(judge(model, observations, split, learned[metrics], last_weeks, quarterly, design))
    return Backtest(
        design=design,
        observations=observations,
        split=split,
        known_departures=count_departures(warehouse, design, observations),
        calendar=_calendar(observations),
        single_metrics=single_metrics(observations),
        models=results,
    )


def read_quarterly(warehouse: Warehouse, design: Design, models: Sequence[ScoreModel]) -> pd.DataFrame:
    """Observations for likelihoods within the weeks of `design`, with the metrics of `models` only."""
    return read_observations(warehouse, replace(design, scheme=InWeeksOfTheirOwn()), models, with_other_metrics=False)


def _calendar(observations: pd.DataFrame) -> Separation | TooLittle:
    days = (observations["observed_on"] - observations["observed_on"].min()).dt.days
    return separation(observations["departs"], days, observations["account_id"])


def judge(
    model: ScoreModel,
    observations: pd.DataFrame,
    split: Split,
    baselines: dict[str, Risks | NoAnswer],
    last_weeks: pd.DataFrame,
    quarterly: pd.DataFrame,
    design: Design,
) -> ModelResult:
    """One model on `observations`, and beside `baselines` on the later part; `last_weeks` are of those that left.

    Likelihoods are judged on `quarterly` (see `read_quarterly`).

    A model that has learned from some of the weeks is judged on the others.
    """
    arithmetic = Arithmetic(model)
    if model.learned_until is not None:
        observations = observations[observations["observed_on"] >= pd.Timestamp(model.learned_until)]
        left = observations.loc[observations["departs"], "account_id"].unique()
        last_weeks = last_weeks[np.isin(last_weeks["account_id"], left)]
    scores = arithmetic.score(observations)
    score = pd.Series(scores.score, observations.index)
    risk = score if design.is_wished_for else -score
    is_scored = score.notna()
    judged = observations[is_scored]
    outcome, accounts = judged["departs"], judged["account_id"]
    reason = too_few(outcome.to_numpy(bool), accounts.to_numpy())
    bands = pd.Series(
        pd.Categorical.from_codes(scores.band[is_scored], pd.Index([band.band for band in model.bands])), judged.index
    )
    tested = risk.reindex(split.test.index)
    return ModelResult(
        model=model,
        scored=float(is_scored.mean()) if len(is_scored) else 0.0,
        whole=separation(outcome, risk[is_scored], accounts),
        later=separation(split.test["departs"], tested, split.test["account_id"]),
        baselines={name: _beside(split.test, tested, each) for name, each in baselines.items()},
        bands=TooLittle(reason) if reason else shares(outcome, bands),
        tenths=TooLittle(reason) if reason else calibration(outcome, score[is_scored]),
        alarms=_alarms_or_not(reason, arithmetic, scores.band, observations, last_weeks, design),
        parts=_parts(judged, risk[is_scored]),
        reliability=_reliability(arithmetic, quarterly, design),
    )


def _reliability(arithmetic: Arithmetic, quarterly: pd.DataFrame, design: Design) -> Reliability | TooLittle:
    """What a fitted model has learned from would flatter it, and is left out."""
    if (learned_until := arithmetic.model.learned_until) is not None:
        quarterly = quarterly[quarterly["observed_on"] >= pd.Timestamp(learned_until)]
    score = arithmetic.score(quarterly).score
    rows = quarterly[["week", "departs"]].assign(score=100 - score if design.is_wished_for else score)
    return hold_against_outcomes(rows[rows["score"].notna()])


def _beside(test: pd.DataFrame, own: pd.Series, risk: Risks | NoAnswer) -> Baseline:
    """A baseline on the rows that the model has a score for; `own` is the model's risk."""
    if not isinstance(risk, Risks):
        return Baseline(risk, risk)
    is_scored = own.notna().to_numpy()
    rows, values = test[is_scored], risk.values[is_scored]
    found = separation(rows["departs"], values, rows["account_id"])
    if isinstance(found, TooLittle):
        return Baseline(found, found)
    gain = auc_gain(rows["departs"], own[is_scored], values, rows["account_id"])
    return Baseline(found, gain, risk.learned)


def _alarms_or_not(
    reason: str,
    arithmetic: Arithmetic,
    band: np.ndarray,
    observations: pd.DataFrame,
    last_weeks: pd.DataFrame,
    design: Design,
) -> list[Alarm] | TooLittle:
    """Bands warn of what nobody wishes for."""
    if reason:
        return TooLittle(reason)
    return [] if design.is_wished_for else _alarms(arithmetic, band, observations, last_weeks)


def _alarms(
    arithmetic: Arithmetic, band: np.ndarray, observations: pd.DataFrame, last_weeks: pd.DataFrame
) -> list[Alarm]:
    severities = np.array([*(band.severity for band in arithmetic.model.bands), -1])  # the last for: not scored
    before = severities[arithmetic.score(last_weeks).band]
    days_left = (last_weeks["departs_on"] - last_weeks["observed_on"]).dt.days
    stays = ~observations["departs"].to_numpy(bool)
    alarms = []
    for severity, name in {arithmetic.model.at_risk_from: "at risk", CRITICAL: "critical"}.items():
        is_warned = pd.Series(before >= severity, last_weeks.index)
        weeks = warning_weeks(last_weeks["account_id"], days_left, is_warned)
        alarms.append(
            Alarm(
                name=name,
                departed=len(weeks),
                in_time=int((weeks >= IN_TIME_WEEKS).sum()),
                median_weeks=float(weeks.median()),
                share_of_stayers=float((severities[band[stays]] >= severity).mean()),
            )
        )
    return alarms


def _parts(judged: pd.DataFrame, risk: pd.Series) -> list[Part]:
    """Segments (tier of the week) and cohorts (year of signup); a single one of a kind is not worth showing."""
    cohort = judged["cohort_month"].dt.year.map(lambda year: "unknown" if pd.isna(year) else f"{year:.0f}")
    parts = []
    for kind, group in (("segment", judged["tier"]), ("signed up in", cohort)):
        names = sorted(group.unique())
        for name in names if len(names) > 1 else []:
            rows = judged[group == name]
            departures = int(rows.loc[rows["departs"], "account_id"].nunique())
            answer = separation(rows["departs"], risk[rows.index], rows["account_id"])
            parts.append(Part(kind, str(name), len(rows), departures, answer))
    return parts
