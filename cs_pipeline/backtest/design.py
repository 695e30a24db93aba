"""Design of a backtest: the weeks it looks at, and how far ahead a departure has to be seen.

It also holds the limits that decide when there is too little data to say, and when a metric knows too much.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cs_pipeline.errors import UserError

FEWEST_ACCOUNTS = 20
"""Departed accounts, and staying ones, below which no figure is given."""
TELLTALE_AUC = 0.98
"""AUC from which a single metric is taken for one that knows the outcome."""
CLOCKS = ("days_to_renewal", "tenure_days")
"""Metrics that may separate as well as they like: where contracts end on their day, the calendar does foresee."""
TEST_SHARE = 0.4
"""Share of the time, at its end, on which models and baselines are compared."""

WEEK = timedelta(days=7)

Outcome = Literal["departure", "churn", "non_renewal", "contraction", "expansion"]
OUTCOMES: dict[Outcome, str] = {
    "departure": "accounts that left, by whatever way",
    "churn": "accounts that left before their contract was to be renewed",
    "non_renewal": "accounts that left when their contract was to be renewed",
    "contraction": "accounts whose recurring revenue fell by more than 5 % from one week to the next",
    "expansion": "accounts whose recurring revenue rose by more than 5 % from one week to the next",
}
"""What a backtest may look for, in words. An account that leaves by another way is looked at up to that day."""


@dataclass(frozen=True)
class BeforeRenewals:
    """One observation before each renewal or departure of an account (the method of Gold's "Fighting Churn with Data").

    It is taken at the last week whose end lies at least `lead_weeks` before the day, or, of an account that has not
    been a customer for so long, at its first week; the outcome is whether the account departed on it. Accounts that
    neither renew nor depart in the range are looked at every 13 weeks, each in weeks of its own.
    """

    lead_weeks: int = 4

    @property
    def words(self) -> str:
        """As a person would say it."""
        return f"{self.lead_weeks} weeks before each renewal or departure"


@dataclass(frozen=True)
class EveryWeeks:
    """An observation of every account every `every_weeks`; the outcome is whether it departed within `within_days`."""

    every_weeks: int = 2
    within_days: int = 30

    @property
    def words(self) -> str:
        """As a person would say it."""
        rhythm = "every week" if self.every_weeks == 1 else f"every {self.every_weeks} weeks"
        return f"{rhythm}, for departures within {self.within_days} days"


@dataclass(frozen=True)
class InWeeksOfTheirOwn:
    """An observation of each account once in `every_weeks`, each in weeks of its own: departed `within_days`?

    Every departure counts once, and the week tells nothing: likelihoods of leaving are held against this.
    """

    every_weeks: int = 13
    within_days: int = 90

    @property
    def words(self) -> str:
        """As a person would say it."""
        return f"once in {self.every_weeks} weeks each, for departures within {self.within_days} days"


@dataclass(frozen=True)
class Design:
    """The observations of a backtest. `first` and `last` are weeks (Mondays), both included."""

    first: date
    last: date
    scheme: BeforeRenewals | EveryWeeks | InWeeksOfTheirOwn = BeforeRenewals()
    min_tenure_days: int | None = None
    max_tenure_days: int | None = None
    outcome: Outcome = "departure"

    def __post_init__(self) -> None:
        for week in (self.first, self.last):
            if week.weekday() != 0:
                raise UserError(f"{week} is a {week:%A}; weeks are named by the Monday they start")
        if self.last < self.first:
            raise UserError(f"The last week ({self.last}) lies before the first week ({self.first})")

    @property
    def is_wished_for(self) -> bool:
        """Whether a healthier account, of a higher score, should have the outcome rather than another."""
        return self.outcome == "expansion"

    @property
    def weeks(self) -> int:
        """How many weeks there are from first to last."""
        return (self.last - self.first) // WEEK + 1

    @property
    def words(self) -> str:
        """As a person would say it."""
        tenure = ""
        if self.min_tenure_days is not None:
            tenure += f", from {self.min_tenure_days} days after signup"
        if self.max_tenure_days is not None:
            tenure += f", up to {self.max_tenure_days} days after signup"
        counts = "" if self.outcome == "departure" else f", of {OUTCOMES[self.outcome]}"
        return f"weeks {self.first} to {self.last}, looked at {self.scheme.words}{tenure}{counts}"


def outcome_named(name: str) -> Outcome:
    """The outcome of this name. Raises UserError when there is none."""
    if name not in OUTCOMES:
        raise UserError(f"There is no outcome {name!r}; expected one of {', '.join(OUTCOMES)}")
    return name


def design_of(
    first: date,
    last: date,
    *,
    lead_weeks: int | None = None,
    every_weeks: int | None = None,
    within_days: int | None = None,
    min_tenure_days: int | None = None,
    max_tenure_days: int | None = None,
    outcome: str = "departure",
) -> Design:
    """A design from what a person has set; without a rhythm, it looks before renewals.

    Raises UserError when a lead time and a rhythm are both set, a number makes no sense, or there is no such outcome.
    """
    is_rhythmic = every_weeks is not None or within_days is not None
    if is_rhythmic and lead_weeks is not None:
        raise UserError(
            "A lead time belongs to observations before renewals, every and within to a rhythm; set one or the other"
        )
    for name, value in (("lead", lead_weeks), ("every", every_weeks), ("within", within_days)):
        if value is not None and value < 1:
            raise UserError(f"{name} is {value}; expected at least 1")
    scheme = (
        EveryWeeks(every_weeks or EveryWeeks.every_weeks, within_days or EveryWeeks.within_days)
        if is_rhythmic
        else BeforeRenewals(BeforeRenewals.lead_weeks if lead_weeks is None else lead_weeks)
    )
    return Design(first, last, scheme, min_tenure_days, max_tenure_days, outcome_named(outcome))
