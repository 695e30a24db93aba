"""Generate what belongs to no account: features, launches, support agents, website sign-ups."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.company import DAY, WEEK, SampleCompany
from cs_pipeline.demo.tables import keys, table, text
from cs_pipeline.demo.vocabulary import vocabulary

ANNOUNCED_AHEAD = 14 * DAY
ACCOUNTS_PER_AGENT = 60
SIGNUPS_A_DAY = 14 / 300  # by account
BUSY_BY_WEEKDAY = np.array([1.1, 1.15, 1.1, 1.05, 0.9, 0.45, 0.5])


def feature_table(company: SampleCompany) -> pa.Table:
    """`features`: ten, five of them core; one appears within the history."""
    features = vocabulary().words["features"]
    released = _released(company)
    return table(
        "features",
        {
            "feature": np.array([key for key, *_ in features], object),
            "feature_name": np.array([name for _, name, *_ in features], object),
            "is_core": np.array([core for _, _, core, _, _ in features]),
            "is_critical": np.array([critical for _, _, _, critical, _ in features]),
            "released_on": released,
            "_loaded_at": released.astype("M8[us]"),
        },
    )


def launch_table(company: SampleCompany) -> pa.Table:
    """`feature_launches`: the new feature, and in the last weeks an addition to an old one for larger customers."""
    keys_ = np.array([key for key, *_ in vocabulary().words["features"]], object)
    released = _released(company)
    is_new = ~np.isnat(released)
    launched = np.append(released[is_new], company.calendar.end - 10 * DAY)
    return table(
        "feature_launches",
        {
            "launch_id": keys("lch-", np.arange(len(launched)) + 1, 4),
            "feature": np.append(keys_[is_new], "ab_tests"),
            "launched_on": launched,
            "tier": np.array([*[None] * int(is_new.sum()), "pro"], object),
            "_loaded_at": (launched - ANNOUNCED_AHEAD).astype("M8[us]"),
        },
    )


def agent_table(company: SampleCompany) -> pa.Table:
    """`support_agents`: more for a larger company; one in ten has left."""
    random = company.random(0, "agents")
    names = vocabulary().words["colleagues"]["agents"]
    size = max(len(names), company.accounts // ACCOUNTS_PER_AGENT)
    started = company.calendar.first_day - random.integers(0, 900, size) * DAY
    leaves = random.random(size) < 0.1
    left = company.calendar.first_day + random.integers(60, 7 * company.weeks, size) * DAY
    return table(
        "support_agents",
        {
            "agent_id": keys("agt-", np.arange(size) + 1, 5),
            "full_name": np.array([names[i % len(names)] for i in range(size)], object),
            "started_on": started,
            "ended_on": np.where(leaves, left, np.datetime64("NaT", "D")),
        },
    )


def signup_table(company: SampleCompany, block: int, accounts: int) -> pa.Table:
    """`signups` on the website: a block's share of them, quieter at night and at weekends."""
    random = company.random(block, "signups")
    calendar = company.calendar
    days = np.arange(calendar.first_day, calendar.end, DAY)
    expected = SIGNUPS_A_DAY * accounts * BUSY_BY_WEEKDAY[(days - calendar.first_day).astype(int) % 7]
    day = np.repeat(days, random.poisson(expected * np.repeat(calendar.season, 7)))
    size = len(day)
    seconds = (random.beta(2.4, 2.0, size) * 86_399 * 1e6).astype("m8[us]")
    sources = vocabulary().words["signup_sources"]
    return table(
        "signups",
        {
            "signup_id": keys("sig-", block * 1_000_000 + np.arange(size) + 1, 9),
            "created_at": day.astype("M8[us]") + seconds,
            "source": text(sources, random.integers(0, len(sources), size)),
        },
    )


def _released(company: SampleCompany) -> np.ndarray:
    ages = np.array([weeks for *_, weeks in vocabulary().words["features"]])
    return np.where(ages == 0, np.datetime64("NaT", "D"), company.calendar.end - ages * WEEK)
