"""Generate what content customers do for us and with us: references, case studies, certificates."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import DAY, Moments, SampleCompany, office_hours
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import Outcomes
from cs_pipeline.demo.tables import keys, table

NEVER = np.datetime64("NaT", "us")
LEVELS = np.array(["foundation", "professional", "expert", "master"], object)
TITLES = np.array(["Half the time to close the month", "One place for every team", "From pilot to all sites"], object)


def reference_table(
    company: SampleCompany, block: int, accounts: Accounts, users: Users, outcomes: Outcomes
) -> pa.Table:
    """`customer_references`: one from each eighth lively account; most are given, half of the prospects are won."""
    random = company.random(block, "references")
    who, at = _moments(company, random, accounts, outcomes, 0.25)
    size = len(who)
    given = random.random(size) < 0.85
    decided = given & (random.random(size) < 0.8)
    won = decided & (random.random(size) < 0.5)
    provided_at = at + _days(random.integers(2, 15, size))
    return table(
        "customer_references",
        {
            "reference_id": keys("rfc-", block * 100_000 + who + 1, 8),
            "account_id": accounts.key[who],
            "user_id": users.key[users.first_of_account[who]],
            "kind": np.array(["call", "quote", "review", "event"], object)[
                random.choice(4, size, p=[0.6, 0.2, 0.1, 0.1])
            ],
            "asked_at": at,
            "provided_at": np.where(given, provided_at, NEVER),
            "cost": np.where(given, np.round(random.uniform(40, 400, size)), np.nan),
            "satisfaction": np.where(given, random.choice([3.0, 4.0, 5.0], size, p=[0.15, 0.35, 0.5]), np.nan),
            "decided_at": np.where(decided, provided_at + _days(random.integers(10, 60, size)), NEVER),
            "is_won": pa.array([bool(each) if known else None for each, known in zip(won, decided, strict=True)]),
            "won_mrr": np.where(won, np.round(random.lognormal(6, 0.8, size)), np.nan),
        },
    )


def case_study_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """`case_studies`: one about each twelfth lively account; two in three are published."""
    random = company.random(block, "case_studies")
    who, at = _moments(company, random, accounts, outcomes, 0.15)
    size = len(who)
    return table(
        "case_studies",
        {
            "case_study_id": keys("cst-", block * 100_000 + who + 1, 8),
            "account_id": accounts.key[who],
            "title": TITLES[random.integers(0, len(TITLES), size)],
            "agreed_at": at,
            "published_at": np.where(random.random(size) < 0.67, at + _days(random.integers(20, 70, size)), NEVER),
        },
    )


def certification_table(
    company: SampleCompany, block: int, accounts: Accounts, users: Users, outcomes: Outcomes
) -> pa.Table:
    """`certifications`: somebody of each fourth lively account, mostly the first level; each holds for two years."""
    random = company.random(block, "certifications")
    who, at = _moments(company, random, accounts, outcomes, 0.5)
    size = len(who)
    return table(
        "certifications",
        {
            "certification_id": keys("crt-", block * 100_000 + who + 1, 8),
            "account_id": accounts.key[who],
            "user_id": users.key[users.first_of_account[who]],
            "level": LEVELS[random.choice(4, size, p=[0.6, 0.25, 0.1, 0.05])],
            "earned_at": at,
            "expires_on": at.astype("M8[D]") + 730 * DAY,
        },
    )


def _moments(
    company: SampleCompany, random: np.random.Generator, accounts: Accounts, outcomes: Outcomes, chance: float
) -> tuple[np.ndarray, Moments]:
    """Which accounts, the livelier the likelier, and when: from 90 days after the signup on, before they leave."""
    age = np.maximum((company.calendar.end - outcomes.created).astype(int) - 90, 0)
    takes_part = (random.random(len(accounts)) < chance * outcomes.liveliness) & (age > 0)
    day = outcomes.created + (90 + random.random(len(accounts)) * age).astype(int) * DAY
    who = np.flatnonzero(takes_part & ~(day >= outcomes.churn))
    return who, company.calendar.moment(day[who], office_hours(random, len(who)), accounts.zone[who])


def _days(count: np.ndarray) -> np.ndarray:
    return (count * DAY).astype("m8[us]")
