"""Generate the progress of customers: onboarding, integrations, value received, orders, referrals."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import DAY, SampleCompany, office_hours
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import CHURN, NO_ONBOARDING, Outcomes
from cs_pipeline.demo.tables import SLOWEST, keys, table, text
from cs_pipeline.demo.vocabulary import vocabulary

NEVER = np.datetime64("NaT", "us")
TYPICAL_HOURS_TO_STEP = np.array([2.0, 14.0, 20.0, 24.0, 60.0])  # from the step before


def onboarding_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """`onboarding_progress`: five steps, the fourth being the first value. Who never gets going stops before it."""
    random = company.random(block, "onboarding")
    steps = vocabulary().words["onboarding_steps"]
    size, count = len(accounts), len(steps)
    stuck = outcomes.is_cause(NO_ONBOARDING)
    pace = random.lognormal(0, 0.6, size) * np.clip(1.5 - 0.8 * outcomes.liveliness, 0.6, 1.5)
    hours = TYPICAL_HOURS_TO_STEP * random.lognormal(0, 0.7, (size, count)) * pace[:, None]
    gives_up = random.random((size, count)) < 0.02 + 0.06 * (1 - outcomes.liveliness[:, None])
    gives_up |= stuck[:, None] & (np.arange(count) >= random.integers(1, 3, size)[:, None])
    reached = np.cumsum(gives_up, axis=1) == 0
    completed = accounts.created_at[:, None] + (np.cumsum(hours, axis=1) * 3.6e9).astype("m8[us]")
    gone = outcomes.churn.astype("M8[us]")[:, None]
    completed = np.where(reached & ~(completed >= gone), completed, NEVER)
    started = np.column_stack([accounts.created_at, completed[:, :-1]])
    return table(
        "onboarding_progress",
        {
            "account_id": np.repeat(accounts.key, count),
            "step": np.tile(np.array(steps, object), size),
            "position": np.tile(np.arange(count) + 1, size),
            "started_at": started.ravel(),
            "completed_at": completed.ravel(),
            "is_aha": np.tile([step == vocabulary().words["aha_step"] for step in steps], size),
            "_loaded_at": np.repeat(accounts.created_at + SLOWEST, count),
        },
    )


def integration_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """`integrations`: one or more for most accounts; some are removed, above all before an account leaves."""
    random = company.random(block, "integrations")
    size, names = len(accounts), vocabulary().words["integrations"]
    wants = random.random((size, len(names))) < (0.12 + 0.25 * outcomes.liveliness)[:, None]
    wants &= ~outcomes.is_cause(NO_ONBOARDING)[:, None]
    account, name = np.nonzero(wants)
    day = outcomes.created[account] + (1 + random.exponential(60, len(account))).astype(int) * DAY
    here = ~(day >= outcomes.churn[account])
    account, name, day = account[here], name[here], day[here]
    count = len(account)
    leaving = (outcomes.outcome == CHURN)[account] & (random.random(count) < 0.5)
    removed = np.where(
        leaving,
        np.maximum(outcomes.end_of_unrest[account] - random.integers(1, 40, count) * DAY, day + DAY),
        np.where(random.random(count) < 0.08, day + (30 + random.exponential(200, count)).astype(int) * DAY,
                 np.datetime64("NaT", "D")),
    )  # fmt: skip
    zone = accounts.zone[account]
    return table(
        "integrations",
        {
            "integration_id": keys("int-", block * 100_000 + np.arange(count) + 1, 8),
            "account_id": accounts.key[account],
            "integration_name": text(names, name),
            "connected_at": company.calendar.moment(day, office_hours(random, count), zone),
            "disconnected_at": company.calendar.moment(removed, office_hours(random, count), zone),
        },
    )


def value_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    outcomes: Outcomes,
    activity: np.ndarray,
    mrr: np.ndarray,
) -> pa.Table:
    """`value_log`: every fourth week, some multiple of the price, more where use is lively. mrr: by account."""
    random = company.random(block, "value")
    weeks = np.arange(3, len(company.calendar.mondays), 4)
    level = activity[:, weeks]
    week, account = np.nonzero(((random.random(level.shape) < 0.75) & (level > 0.1)).T)
    day = company.calendar.mondays[weeks[week]] + 4 * DAY
    here = (day > outcomes.created[account] + 21 * DAY) & ~(day >= outcomes.churn[account])
    week, account, day = week[here], account[here], day[here]
    size = len(account)
    worth = mrr[account] * 5.5 * level[account, week] * random.lognormal(0, 0.35, size)
    return table(
        "value_log",
        {
            "value_id": keys("val-", block * 100_000 + np.arange(size) + 1, 8),
            "account_id": accounts.key[account],
            "recorded_on": day,
            "amount": np.round(worth, 2),
            "kind": text(["time_saved", "revenue_gained"], random.integers(0, 2, size)),
        },
    )


def order_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`orders` of sending credit, from a third of the accounts."""
    random = company.random(block, "orders")
    orders = (random.random(len(accounts)) < 0.33)[:, None] * activity * 0.14
    week, account = np.nonzero((random.random(activity.shape) < orders).T)
    day = company.calendar.mondays[week] + random.integers(0, 5, len(week)) * DAY
    here = (day > outcomes.created[account]) & ~(day >= outcomes.churn[account])
    account, day = account[here], day[here]
    size = len(account)
    return table(
        "orders",
        {
            "order_id": keys("ord-", block * 100_000 + np.arange(size) + 1, 8),
            "account_id": accounts.key[account],
            "user_id": users.key[users.first_of_account[account]],
            "created_at": company.calendar.moment(day, office_hours(random, size), accounts.zone[account]),
            "amount": np.round(random.lognormal(3.6, 0.6, size) * (1 + outcomes.tier[account]), 2),
        },
    )


def referral_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """`referrals`: one from each tenth lively account; four in ten became customers."""
    random = company.random(block, "referrals")
    size = len(accounts)
    age = np.maximum((company.calendar.end - outcomes.created).astype(int) - 60, 0)
    refers = (random.random(size) < 0.2 * outcomes.liveliness) & (age > 0)
    day = outcomes.created + (60 + random.random(size) * age).astype(int) * DAY
    who = np.flatnonzero(refers & ~(day >= outcomes.churn))
    at = company.calendar.moment(day[who], office_hours(random, len(who)), accounts.zone[who])
    won = random.random(len(who)) < 0.4
    return table(
        "referrals",
        {
            "referral_id": keys("ref-", block * 100_000 + who + 1, 8),
            "account_id": accounts.key[who],
            "referred_at": at,
            "converted_at": np.where(won, at + (random.integers(5, 60, len(who)) * DAY).astype("m8[us]"), NEVER),
        },
    )
