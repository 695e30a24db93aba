"""Generate sessions of use and the features each account has taken up, from which `events` are made.

A person's week is a coin toss a day, weighted by how lively the account is and how eager the person; a day with use is
a session. Quiet weeks also have fewer people, not only fewer days.
"""

from dataclasses import dataclass

import numpy as np

from cs_pipeline.demo.company import DAY, Moments, SampleCompany, office_hours
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import Outcomes
from cs_pipeline.demo.vocabulary import vocabulary

BUSY_BY_WEEKDAY = np.array([1.0, 1.05, 1.0, 0.95, 0.75, 0.10, 0.08], np.float32)
SESSIONS_A_DAY = 0.40  # of an eager person in a lively account
FEATURES_WITHIN_REACH = np.array([2.4, 3.4, 5.0])  # of a lively account, by tier
WEEKS_TO_LEARN = 9


@dataclass(frozen=True)
class Sessions:
    """One element a person and day with use: indexes of user, account and week, and the moment it begins."""

    user: np.ndarray
    account: np.ndarray
    week: np.ndarray
    at: Moments


@dataclass(frozen=True)
class Learned:
    """`order` (accounts x features) in which accounts take up features; the `count` they use (accounts x weeks)."""

    order: np.ndarray
    count: np.ndarray


def hold_sessions(
    company: SampleCompany, random: np.random.Generator, users: Users, outcomes: Outcomes, activity: np.ndarray
) -> Sessions:
    """The sessions of a block, by user and day. A small `events_scale` leaves little but the first of each week."""
    chance = _chance_a_day(company, users, activity)
    mondays = company.calendar.mondays
    found = []
    for weekday, busy in enumerate(BUSY_BY_WEEKDAY):
        week, user = np.nonzero(random.random(chance.shape, dtype=np.float32) < chance * busy)
        found.append((week.astype(np.int32) * 7 + weekday, user.astype(np.int32)))
    days_in, user = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((days_in, user))
    days_in, user = days_in[order], user[order]

    day = mondays[0] + days_in * DAY
    account = users.account[user].astype(np.int32)
    gone = np.fmin(users.deleted, outcomes.churn[users.account])
    here = (day >= users.created[user]) & ~(day >= gone[user])
    day, days_in, user, account = day[here], days_in[here], user[here], account[here]
    week = (days_in // 7).astype(np.int16)
    is_first = np.ones(len(user), bool)
    is_first[1:] = (user[1:] != user[:-1]) | (week[1:] != week[:-1])
    kept = np.flatnonzero(is_first | (random.random(len(user)) < company.events_scale))
    day, week, user, account = day[kept], week[kept], user[kept], account[kept]
    begun = company.calendar.moment(day, office_hours(random, len(day)), users.zone[user])
    settled_in = users.created_at[user] + np.timedelta64(5, "m")
    return Sessions(user, account, week, np.maximum(begun, settled_in))


def learn_features(
    company: SampleCompany, random: np.random.Generator, outcomes: Outcomes, activity: np.ndarray
) -> Learned:
    """Which features each account uses week by week: core ones first, more with time, fewer when it drifts away."""
    features = vocabulary().words["features"]
    size, count = len(outcomes.tier), len(features)
    appeal = np.array([1.0 if core else 0.45 for _, _, core, _, _ in features])
    order = np.argsort(-(appeal + 0.55 * random.random((size, count))), axis=1).astype(np.int8)
    reach = FEATURES_WITHIN_REACH[outcomes.tier]
    most = 0.8 + reach * np.clip(outcomes.liveliness, 0, 1) ** 1.1 * random.uniform(0.75, 1.1, size)
    age = (company.calendar.mondays[None, :] - outcomes.created[:, None]).astype(int) / 7 + 1
    taken_up = most[:, None] * np.clip(0.4 + 0.6 * age / WEEKS_TO_LEARN, 0, 1)
    usual = np.maximum(outcomes.liveliness[:, None] * company.calendar.season, 0.01)
    fading = np.clip(activity / usual, 0, 1) ** 0.5
    return Learned(order, np.clip(np.round(taken_up * fading), 1, count).astype(np.int8))


def _chance_a_day(company: SampleCompany, users: Users, activity: np.ndarray) -> np.ndarray:
    """Chance of a session on an ordinary Monday (weeks x users): nobody is as lively as its account at its best."""
    by_week = activity.T[:, users.account]
    takes_part = users.rank[None, :] < np.minimum(1.15 * by_week**0.6, 1.0)
    newness = np.clip(1 - (company.calendar.mondays[:, None] - users.created[None, :]).astype(int) / 28, 0, 1)
    chance = SESSIONS_A_DAY * users.eagerness[None, :] * by_week * takes_part * (1 + 0.4 * newness)
    return np.minimum(chance, 0.92).astype(np.float32)
