"""Measure the uplift of a play: accounts enrolled against those held out, by intention to treat.

Accounts are held out by a hash (`plays.enrolment.holdout`) among those that would have entered, so both groups differ
by the play and by chance alone. Everybody counts where they were drawn, whatever became of the play: accounts that
left it early or whose mail was suppressed too. Each account counts once for a playbook, from its first decision on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit  # quantiles of Student's t; scipy.stats takes a second to load

from cs_pipeline.backtest.measures import Interval, TooLittle, wilson
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse

FEWEST = 30
"""Accounts of which the outcome is known, enrolled and held out each, below which nothing is said."""
LEAVES_WITHIN = timedelta(days=90)
SCORED_AFTER = timedelta(weeks=8)
RENEWS_WITHIN = timedelta(days=365)
SETTLED_AFTER = timedelta(days=30)  # a successor may start so long after the renewal date

Verdict = Literal["helps", "harms", "no difference shown", "too small to tell"]


@dataclass(frozen=True)
class Measure:
    """Something a play may change. `column` of the accounts has it; more of it is good, or bad."""

    name: str
    column: str
    is_good: bool
    is_share: bool


MEASURES = (
    Measure("renewed", "has_renewed", is_good=True, is_share=True),
    Measure("left within 90 days", "has_left", is_good=False, is_share=True),
    Measure("score after 8 weeks", "score_change", is_good=True, is_share=False),
)


@dataclass(frozen=True)
class Uplift:
    """What a playbook did to one measure: enrolled minus held out, with a 95 % interval.

    Shares are between 0 and 1, the score is in its own points. `enrolled` and `held_out` count accounts of which the
    outcome is known; means are NaN where there are none.
    """

    playbook: str
    measure: Measure
    enrolled: int
    held_out: int
    mean_enrolled: float
    mean_held_out: float
    difference: Interval | TooLittle

    @property
    def verdict(self) -> Verdict:
        """Whether the interval leaves zero out, and on which side."""
        if isinstance(self.difference, TooLittle):
            return "too small to tell"
        if self.difference.low <= 0 <= self.difference.high:
            return "no difference shown"
        return "helps" if (self.difference.value > 0) == self.measure.is_good else "harms"


def uplifts(accounts: pd.DataFrame, goals: Mapping[str, Sequence[Measure]] | None = None) -> list[Uplift]:
    """The effect of every playbook in `accounts` (columns of `decided_accounts`) on every measure; `goals`: further
    measures by playbook, whose columns are there besides (`trials`)."""
    return [
        _uplift(str(playbook), measure, rows)
        for playbook, rows in accounts.groupby("playbook", sort=True)
        for measure in (*MEASURES, *(goals or {}).get(str(playbook), ()))
    ]


def difference_of_shares(successes: int, total: int, other_successes: int, other_total: int) -> Interval | TooLittle:
    """The first share minus the other, by Newcombe's hybrid score method (1998, method 10)."""
    if reason := _too_few(total, other_total):
        return TooLittle(reason)
    share, other = successes / total, other_successes / other_total
    low, high = wilson(successes, total)
    other_low, other_high = wilson(other_successes, other_total)
    return Interval(
        share - other,
        share - other - sqrt((share - low) ** 2 + (other_high - other) ** 2),
        share - other + sqrt((high - share) ** 2 + (other - other_low) ** 2),
    )


def difference_of_means(values: ArrayLike, others: ArrayLike) -> Interval | TooLittle:
    """The mean of `values` minus that of `others`, which may spread differently (Welch 1947)."""
    one, two = np.asarray(values, float), np.asarray(others, float)
    if reason := _too_few(len(one), len(two)):
        return TooLittle(reason)
    errors = np.array([one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)])
    difference = float(one.mean() - two.mean())
    if errors.sum() == 0:
        return TooLittle("every account comes to the same figure")
    freedom = errors.sum() ** 2 / (errors**2 / (np.array([len(one), len(two)]) - 1)).sum()
    reach = float(stdtrit(freedom, 0.975) * sqrt(errors.sum()))
    return Interval(difference, difference - reach, difference + reach)


def _uplift(playbook: str, measure: Measure, rows: pd.DataFrame) -> Uplift:
    known = rows[rows[measure.column].notna()]
    held_out = known["is_held_out"].to_numpy(dtype=bool)
    values = known[measure.column].to_numpy(dtype=float)
    one, two = values[~held_out], values[held_out]
    if measure.is_share:
        difference = difference_of_shares(int(one.sum()), len(one), int(two.sum()), len(two))
    else:
        difference = difference_of_means(one, two)
    return Uplift(
        playbook=playbook,
        measure=measure,
        enrolled=len(one),
        held_out=len(two),
        mean_enrolled=float(one.mean()) if len(one) else float("nan"),
        mean_held_out=float(two.mean()) if len(two) else float("nan"),
        difference=difference,
    )


def _too_few(enrolled: int, held_out: int) -> str:
    if enrolled < FEWEST:
        return f"{enrolled} enrolled accounts are known, and {FEWEST} are needed"
    if held_out < FEWEST:
        return f"{held_out} held-out accounts are known, and {FEWEST} are needed"
    return ""


_ACCOUNTS = read_sql(__file__)


def decided_accounts(warehouse: Warehouse, playbook: str | None, now: datetime) -> pd.DataFrame:
    """Accounts that `playbook` (or each) enrolled or held out, once each: playbook, account_id, is_held_out,
    playbook_version, decided_at, and has_renewed, has_left, score_change, missing where they cannot be known at `now`.

    Renewed: the first renewal date within a year of the decision has a successor, 30 days after it, or the term renewed
    by itself and went on. An account that
    left has no later score: the change of score is that of those who stayed. Raises UserError without marts.
    """
    require_marts(warehouse, "dim_accounts", "fct_subscription_terms")
    parameters = {
        "playbook": playbook,
        "now": now,
        "leaves_within": LEAVES_WITHIN,
        "scored_after": SCORED_AFTER,
        "scored_days": SCORED_AFTER.days,
        "renews_days": RENEWS_WITHIN.days,
        "settled_days": SETTLED_AFTER.days,
    }
    columns = [
        "playbook", "account_id", "is_held_out", "playbook_version", "decided_at", "has_renewed", "has_left",
        "score_change",
    ]  # fmt: skip
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(_ACCOUNTS, parameters)
        return pd.DataFrame(cursor.fetchall(), columns=columns, dtype="object")
