"""Draw the known truth of the sample company: who leaves, why and when; who dips and recovers; who grows.

Everything else is made to follow from this. Times are days; `NaT` means never. Shares are met exactly in every block,
so that the number of planted causes does not depend on luck.
"""

from dataclasses import dataclass

import numpy as np

from cs_pipeline.demo.company import DAY, WEEK, Days, SampleCompany

TIERS = np.array(["starter", "pro", "enterprise"], object)
TIER_SHARES = (0.45, 0.40, 0.15)

OUTCOMES = np.array(["steady", "churn", "dip", "expansion"], object)
STEADY, CHURN, DIP, EXPANSION = range(4)
OUTCOME_SHARES = (0.49, 0.24, 0.14, 0.13)

CAUSES = np.array(["disengagement", "champion_left", "support_pain", "no_onboarding", "price", "bad_fit"], object)
DISENGAGEMENT, CHAMPION_LEFT, SUPPORT_PAIN, NO_ONBOARDING, PRICE, BAD_FIT = range(6)
CAUSE_SHARES = (0.28, 0.18, 0.17, 0.13, 0.14, 0.10)
SHORTEST_LEAD = np.array([8, 6, 5, 8, 4, 12])
LONGEST_LEAD = np.array([18, 15, 13, 16, 11, 30])
# How fast use falls between onset and leaving: use is exp(-speed) of its old level on the last day.
DECAY = np.array([3.2, 2.4, 1.6, 0.5, 1.4, 0.5])
DROP_AT_ONSET = np.array([1.0, 0.65, 1.0, 1.0, 1.0, 1.0])

OLDEST_WEEKS = 130  # age of the oldest accounts when the first week begins
NEWEST = 2 * DAY  # every account has signed up by then, wherever on earth it is
CHURN_NOT_BEFORE = 10 * WEEK  # from the first week
CHURN_NOT_AFTER = 14 * WEEK  # from the end: some accounts are on their way out when the history ends


@dataclass(frozen=True)
class Outcomes:
    """One element an account. Codes index TIERS, OUTCOMES and CAUSES; cause is -1 unless the account churns.

    `kept` is the day on which it stayed after all, for those that would have churned on it (see `treatment_effects`).
    """

    tier: np.ndarray
    outcome: np.ndarray
    cause: np.ndarray
    created: Days
    contract_months: np.ndarray
    has_trial: np.ndarray
    onset: Days
    churn: Days
    kept: Days
    lead_weeks: np.ndarray
    dip_from: Days
    dip_to: Days
    dip_depth: np.ndarray
    expansion: Days
    liveliness: np.ndarray

    def is_cause(self, cause: int) -> np.ndarray:
        """Which accounts churn for `cause`."""
        return self.cause == cause

    @property
    def end_of_unrest(self) -> Days:
        """The day on which an account leaves, or is kept."""
        return np.where(np.isnat(self.kept), self.churn, self.kept)

    def unrest(self, weeks: Days) -> np.ndarray:
        """How far each account is on its way out at `weeks` (accounts x weeks): 0 before onset, 1 when it leaves.

        0 again once it is kept.
        """
        lead = np.maximum(self.lead_weeks, 1)[:, None] * 7
        since = (weeks[None, :] - self.onset[:, None]).astype(np.float64)
        is_calm = np.isnat(self.onset)[:, None] | (weeks[None, :] >= self.kept[:, None])
        return np.clip(np.where(is_calm, 0, since / lead), 0, 1)


def shared_out(random: np.random.Generator, size: int, shares: tuple[float, ...]) -> np.ndarray:
    """`size` codes in random order that meet `shares` as exactly as whole numbers allow."""
    bounds = np.round(np.cumsum(shares) / sum(shares) * size).astype(int)
    return random.permutation(np.searchsorted(bounds, np.arange(size), side="right"))


def plant(company: SampleCompany, block: int, size: int) -> Outcomes:
    """Draw the outcomes of a block of `size` accounts."""
    random = company.random(block, "fates")
    calendar = company.calendar
    start = np.datetime64(company.first_week, "D")
    end = calendar.end

    outcome = shared_out(random, size, OUTCOME_SHARES)
    churns = outcome == CHURN
    cause = np.full(size, -1)
    cause[churns] = shared_out(random, int(churns.sum()), CAUSE_SHARES)
    is_new = (cause == NO_ONBOARDING) | (cause == BAD_FIT)

    tier = shared_out(random, size, TIER_SHARES)
    months = np.select(
        [random.random(size) < np.array([0.50, 0.15, 0.0])[tier], random.random(size) < (tier == 2) * 0.25],
        [1, 24],
        12,
    )
    months[cause == NO_ONBOARDING] = 1
    months[(cause == BAD_FIT) & (months > 1)] = 1
    has_trial = random.random(size) < np.array([0.6, 0.4, 0.1])[tier]

    lead = random.integers(SHORTEST_LEAD[cause], LONGEST_LEAD[cause] + 1)
    churn = add_months(_spread(random, size, start + CHURN_NOT_BEFORE, end + CHURN_NOT_AFTER), 0)
    long_life = np.maximum(random.integers(26, 150, size), lead + 8) * WEEK
    terms = np.where(months == 24, 1, random.integers(1, 3, size))
    paid_from = np.where(months == 1, churn - long_life, add_months(churn, -months * terms))
    never_settled = np.minimum(churn - (lead + 2) * WEEK, end - NEWEST)
    churn = np.where(is_new, never_settled + (lead + 2) * WEEK, churn)
    churner_created = np.where(is_new, never_settled, paid_from - np.where(has_trial, 14, 0) * DAY)

    before = start - (OLDEST_WEEKS * 7 * random.random(size) ** 1.2).astype(int) * DAY
    within = _spread(random, size, start, end - NEWEST)
    created = np.where(churns, churner_created, np.where(random.random(size) < 0.6, before, within))

    settled = np.maximum(created + 10 * WEEK, start + 6 * WEEK)
    dips = (outcome == DIP) & (settled < end - WEEK)
    dip_from = _never_unless(dips, _spread(random, size, settled, np.maximum(end, settled + WEEK)))
    expansion = _never_unless(outcome == EXPANSION, _spread(random, size, settled, np.maximum(end, settled + WEEK)))

    lively = 0.30 + 0.70 * random.beta(2.8, 1.6, size)
    is_sleepy = (random.random(size) < 0.20) & ~churns
    lively[is_sleepy] = random.uniform(0.05, 0.28, int(is_sleepy.sum()))
    lively[cause == BAD_FIT] = random.uniform(0.10, 0.26, int((cause == BAD_FIT).sum()))
    lively[cause == NO_ONBOARDING] = random.uniform(0.05, 0.18, int((cause == NO_ONBOARDING).sum()))

    return Outcomes(
        tier=tier,
        outcome=outcome,
        cause=cause,
        created=created,
        contract_months=months,
        has_trial=has_trial,
        onset=_never_unless(churns, churn - lead * WEEK),
        churn=_never_unless(churns, churn),
        kept=np.full(size, np.datetime64("NaT", "D")),
        lead_weeks=np.where(churns, lead, 0),
        dip_from=dip_from,
        dip_to=dip_from + random.integers(3, 9, size) * WEEK,
        dip_depth=random.uniform(0.05, 0.35, size),
        expansion=expansion,
        liveliness=lively,
    )


def activity(outcomes: Outcomes, company: SampleCompany, block: int) -> np.ndarray:
    """How lively each account is in each week of the calendar (accounts x weeks), about 0 to 1.2; 0 when absent."""
    random = company.random(block, "activity")
    calendar = company.calendar
    weeks = calendar.mondays
    drift = np.empty((len(outcomes.tier), len(weeks)))
    step = random.normal(0, 0.045, drift.shape)
    drift[:, 0] = step[:, 0]
    for week in range(1, len(weeks)):
        drift[:, week] = 0.85 * drift[:, week - 1] + step[:, week]

    unrest = outcomes.unrest(weeks)
    decline = np.where(unrest > 0, DROP_AT_ONSET[outcomes.cause][:, None], 1) * np.exp(
        -DECAY[outcomes.cause][:, None] * unrest
    )
    decline = np.where((outcomes.cause >= 0)[:, None], decline, 1)
    dips = (weeks >= outcomes.dip_from[:, None]) & (weeks < outcomes.dip_to[:, None])
    level = outcomes.liveliness[:, None] * (1 + drift) * decline * np.where(dips, outcomes.dip_depth[:, None], 1)
    present = (weeks + WEEK > outcomes.created[:, None]) & ~(weeks >= outcomes.churn[:, None])
    return np.clip(level, 0, 1.2) * present * calendar.season


def add_months(days: Days, months: np.ndarray | int) -> Days:
    """The same day `months` later (or earlier), at most the 28th."""
    first = days.astype("M8[M]")
    return (first + months).astype("M8[D]") + np.minimum((days - first.astype("M8[D]")).astype(int), 27) * DAY


def _spread(random: np.random.Generator, size: int, first: Days | np.datetime64, last: Days | np.datetime64) -> Days:
    """Days spread evenly over [first, last)."""
    span = np.asarray(last - first).astype(int)
    return first + (random.random(size) * span).astype(int) * DAY


def _never_unless(condition: np.ndarray, days: Days) -> Days:
    return np.where(condition, days, np.datetime64("NaT", "D"))
