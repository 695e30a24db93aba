"""Follow whether a model still looks at the accounts that it was made for, and still knows who leaves. Reads only.

Three questions, of the newest week: are its metrics and its score distributed as before (population stability index,
as in credit scoring)? Did as many leave, in the windows that closed last, as its likelihoods said? And, of a model
that was fitted: does it still tell leavers from stayers?
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cs_pipeline.backtest.distributions import REFERENCE_WEEKS
from cs_pipeline.backtest.likelihood import EVERY_WEEKS
from cs_pipeline.backtest.measures import Interval, TooLittle, auc_interval, too_few
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

SHIFTED = 0.25
"""Population stability index from which a distribution is another one; from 0.1 on it is worth a look."""
BEYOND_CHANCE = 3.0
"""It has to be so many times what chance makes of as few accounts."""
FEWEST_ACCOUNTS_A_WEEK = 100
FEWEST_WEEKS = 13
"""Weeks to compare with, below which nothing is said of a distribution."""
CHART_WEEKS = 26
SURELY = 2.58
"""Standard errors between expected and counted departures; chance does it in one of a hundred cases."""


@dataclass(frozen=True)
class Expected:
    """Departures that likelihoods made expect in the windows that closed last, and those that there were."""

    first: date
    last: date
    expected: float
    spread: float
    """Standard deviation that chance gives the count."""
    departures: int

    @property
    def is_off(self) -> bool:
        """Whether chance does not explain the difference."""
        return abs(self.departures - self.expected) > SURELY * self.spread

    @property
    def words(self) -> str:
        """One clause."""
        return (
            f"{self.departures} left of whom {self.expected:.0f} were expected to, in windows of 90 days from the "
            f"weeks {self.first} to {self.last}"
        )


@dataclass(frozen=True)
class Drift:
    """What became of one version of a model."""

    week: date
    model: str
    model_version: str
    is_fitted: bool
    shifts: pd.DataFrame | TooLittle
    """week, metric, psi, chance, is_shifted: of the newest weeks, this week's last; `score` is a metric too."""
    expected: Expected | TooLittle
    separation: Interval | TooLittle
    """AUC in the last year of closed windows."""

    @property
    def shifted(self) -> pd.DataFrame:
        """The rows of this week that are distributed otherwise, most first."""
        if isinstance(self.shifts, TooLittle):
            return pd.DataFrame(columns=["metric", "psi"])
        rows = self.shifts[(self.shifts["week"] == self.week) & self.shifts["is_shifted"]]
        return rows.sort_values("psi", ascending=False)

    @property
    def has_stopped_knowing(self) -> bool:
        """Whether a fitted model can no longer be told from guessing."""
        return self.is_fitted and isinstance(self.separation, Interval) and self.separation.low <= 0.5

    @property
    def is_steady(self) -> bool:
        """False where anything is off for sure."""
        is_off = isinstance(self.expected, Expected) and self.expected.is_off
        return self.shifted.empty and not is_off and not self.has_stopped_knowing

    @property
    def words(self) -> str:
        """What is off; where nothing is, what was looked at."""
        told = []
        if not self.shifted.empty:
            named = ", ".join(
                f"{_metric_words(row['metric'])} ({row['psi']:.2f})" for row in self.shifted.to_dict("records")
            )
            before = "the weeks it has learned from" if self.is_fitted else f"the {REFERENCE_WEEKS} weeks before"
            told.append(f"distributed otherwise than in {before} (stability index, {SHIFTED} is much): {named}")
        if isinstance(self.expected, Expected) and self.expected.is_off:
            told.append(f"{self.expected.words}: likelihoods are off")
        if self.has_stopped_knowing:
            told.append(f"it no longer tells leavers from stayers (AUC {self.separation} in the last year)")
        if not told:
            return f"{self.model} in the week {self.week}: {self._steady_words()}"
        then = "; make it anew with `cs-pipeline model fit`" if self.is_fitted else "; see `cs-pipeline model backtest`"
        return f"{self.model} in the week {self.week}: {'; '.join(told)}{then}"

    def _steady_words(self) -> str:
        shifts = str(self.shifts) if isinstance(self.shifts, TooLittle) else "metrics and score are as before"
        expected = "" if isinstance(self.expected, TooLittle) else f"; {self.expected.words}"
        return f"{shifts}{expected}"


def drift_of(warehouse: Warehouse) -> list[Drift]:
    """Of each version that counts in the newest week that was counted; none where none was."""
    versions = query(
        warehouse,
        """
        select distinct
            counted.week,
            counted.model,
            counted.model_version,
            (models.definition ->> 'learned_until')::date as learned_until
        from cs.score_calibrations as counted
        left join cs.score_models as models
            on counted.model = models.model and counted.model_version = models.model_version
        where
            counted.week = (select max(week) from cs.score_distributions)
            and (counted.week, counted.model, counted.model_version) in (
                select week, model, model_version
                from cs.health_scores
                where week = (select max(week) from cs.score_distributions) and is_active
            )
        order by counted.week, counted.model, counted.model_version
        """,
    )
    found = []
    for row in versions.to_dict("records"):
        learned_until = None if pd.isna(row["learned_until"]) else row["learned_until"]
        version = (row["model"], row["model_version"])
        found.append(
            Drift(
                row["week"],
                *version,
                is_fitted=learned_until is not None,
                shifts=_shifts(warehouse, version, row["week"], learned_until),
                expected=_expected(warehouse, version),
                separation=_separation(warehouse, version, learned_until),
            )
        )
    return found


def stability_index(counts: np.ndarray, reference: np.ndarray) -> float:
    """Population stability index of two counts (b,) of the same bins; half an account more each, for empty ones."""
    share, before = ((each + 0.5) / (each.sum() + 0.5 * len(each)) for each in (counts, reference))
    return float(((share - before) * np.log(share / before)).sum())


def _shifts(
    warehouse: Warehouse, version: tuple[str, str], week: date, learned_until: date | None
) -> pd.DataFrame | TooLittle:
    rows = query(
        warehouse,
        """
        select week, metric, bin, accounts
        from cs.score_distributions
        where model = $1 and model_version = $2 and week <= $3::date
        """,
        (*version, week.isoformat()),
    )
    by_week = {metric: _table(each) for metric, each in rows.groupby("metric")}
    told = []
    for back in range(CHART_WEEKS - 1, -1, -1):
        of = week - timedelta(weeks=back)
        until = of if learned_until is None else min(learned_until - timedelta(days=6), of)
        for metric, table in by_week.items():
            before = table[(table.index < until) & (table.index >= until - timedelta(weeks=REFERENCE_WEEKS))]
            if of not in table.index or len(before) < FEWEST_WEEKS:
                continue
            counts, reference = table.loc[of].to_numpy(float), before.sum().to_numpy(float)
            accounts = min(counts.sum(), reference.sum() / len(before))
            if accounts < FEWEST_ACCOUNTS_A_WEEK:
                continue
            used = (counts + reference) > 0
            index = stability_index(counts[used], reference[used])
            chance = 2 * (used.sum() - 1) / accounts  # two samples of as many accounts of one book
            told.append((of, str(metric), index, chance, index >= max(SHIFTED, BEYOND_CHANCE * chance)))
    if not any(of == week for of, *_ in told):
        return TooLittle(
            f"{FEWEST_ACCOUNTS_A_WEEK} accounts in the week and in {FEWEST_WEEKS} weeks to compare with are needed"
        )
    return pd.DataFrame(told, columns=["week", "metric", "psi", "chance", "is_shifted"])


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Accounts by week (index) and bin (columns)."""
    return rows.pivot_table(index="week", columns="bin", values="accounts", aggfunc="sum", fill_value=0)


def _expected(warehouse: Warehouse, version: tuple[str, str]) -> Expected | TooLittle:
    """In the last 13 closed weeks, in which each account was looked at once."""
    found = query(
        warehouse,
        f"""
        with stated as (
            select
                outcomes.week,
                outcomes.observations,
                outcomes.departures,
                calibrations.likelihood[width_bucket(outcomes.score, calibrations.score_from)] as likelihood
            from cs.score_outcomes as outcomes
            inner join cs.score_calibrations as calibrations
                on
                    outcomes.week = calibrations.week
                    and outcomes.model = calibrations.model
                    and outcomes.model_version = calibrations.model_version
            where
                outcomes.model = $1
                and outcomes.model_version = $2
                and outcomes.week > (
                    select max(newest.week) from cs.score_outcomes as newest
                    where newest.model = $1 and newest.model_version = $2
                ) - {7 * EVERY_WEEKS}
                and calibrations.score_from is not null
        )

        select
            min(week) as first,
            max(week) as last,
            sum(observations * likelihood) as expected,
            sqrt(sum(observations * likelihood * (1 - likelihood))) as spread,
            sum(departures)::integer as departures
        from stated
        """,
        version,
    ).iloc[0]
    if found["first"] is None or pd.isna(found["expected"]):
        return TooLittle("no window is over for which a likelihood had been stated")
    return Expected(
        found["first"], found["last"], float(found["expected"]), float(found["spread"]), int(found["departures"])
    )


def _separation(warehouse: Warehouse, version: tuple[str, str], learned_until: date | None) -> Interval | TooLittle:
    """In the last year of closed weeks, of a fitted model in weeks that it has not learned from."""
    rows = query(
        warehouse,
        f"""
        select score, sum(observations)::integer as observations, sum(departures)::integer as departures
        from cs.score_outcomes
        where
            model = $1
            and model_version = $2
            and week + 7 >= $3::date
            and week > (
                select max(newest.week) from cs.score_outcomes as newest
                where newest.model = $1 and newest.model_version = $2
            ) - {7 * REFERENCE_WEEKS}
        group by score
        order by score
        """,
        (*version, (learned_until or date.min).isoformat()),
    )
    left, looked_at = rows["departures"].to_numpy(int), rows["observations"].to_numpy(int)
    score = rows["score"].to_numpy(float)
    outcome = np.repeat([True, False], [left.sum(), (looked_at - left).sum()])
    risk = -np.concatenate([np.repeat(score, left), np.repeat(score, looked_at - left)])
    looks = np.arange(len(outcome))
    if reason := too_few(outcome, looks):
        return TooLittle(reason)
    return auc_interval(outcome, risk, looks)


def _metric_words(metric: str) -> str:
    return METRICS[metric].words if metric in METRICS else metric
