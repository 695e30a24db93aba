"""Generate contact with customers: e-mail, meetings, trainings and webinars."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts, team_emails
from cs_pipeline.demo.company import DAY, WEEK, Days, Moments, SampleCompany, office_hours
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import Outcomes
from cs_pipeline.demo.tables import SLOWEST, keys, table
from cs_pipeline.demo.vocabulary import vocabulary

NEWSLETTER_EVERY_WEEKS = 2
READERS = 0.50  # share of accounts whose contact opens nearly everything
MEETINGS = {  # kind: weeks between meetings by tier (0: none)
    "check_in": (0, 9, 4),
    "qbr": (0, 26, 13),
    "executive_call": (0, 0, 39),
}
BOOKED_AHEAD = 12 * DAY
MISSED, CANCELLED = 0.06, 0.05
NEVER = np.datetime64("NaT", "us")


def email_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`email_events`: a newsletter every other week to the point of contact, and what the reader did with it.

    Some read nearly everything, others little; who drifts away reads less. After unsubscribing nothing is sent.
    """
    random = company.random(block, "email")
    calendar = company.calendar
    reads = np.where(random.random(len(accounts)) < READERS, 0.975, random.uniform(0.1, 0.5, len(accounts)))
    is_due = (np.arange(len(calendar.mondays))[None, :] + np.arange(len(accounts))[:, None]) % NEWSLETTER_EVERY_WEEKS
    week, account = np.nonzero(((is_due == 0) & (activity > 0)).T)
    user = users.first_of_account[account]
    day = calendar.mondays[week] + DAY
    here = (day > outcomes.created[account]) & ~(day >= outcomes.churn[account]) & ~(day >= users.unsubscribed[user])
    week, account, user, day = week[here], account[here], user[here], day[here]
    size = len(account)

    sent = calendar.moment(day, 9 + random.random(size), accounts.zone[account])
    calm = np.minimum(
        activity[account, week] / np.maximum(outcomes.liveliness[account] * calendar.season[week], 0.01), 1
    )
    opens = random.random(size) < reads[account] * np.minimum(calm * 1.6, 1)
    clicks = opens & (random.random(size) < 0.22)
    replies = opens & (random.random(size) < 0.015)
    bounces = random.random(size) < 0.004
    leaves_list = (users.unsubscribed[user] > day) & (users.unsubscribed[user] <= day + NEWSLETTER_EVERY_WEEKS * WEEK)
    after = {
        "sent": (np.ones(size, bool), np.zeros(size)),
        "delivered": (~bounces, random.uniform(0.0003, 0.01, size)),
        "bounce": (bounces, random.uniform(0.001, 0.05, size)),
        "open": (opens & ~bounces, random.exponential(0.5, size) + 0.02),
        "click": (clicks & ~bounces, random.exponential(0.5, size) + 0.6),
        "reply": (replies & ~bounces, random.exponential(1.0, size) + 0.7),
        "unsubscribe": (leaves_list, (users.unsubscribed[user] - day).astype(float)),
    }
    row = np.concatenate([np.flatnonzero(happens) for happens, _ in after.values()])
    kind = np.repeat(list(after), [int(happens.sum()) for happens, _ in after.values()]).astype(object)
    days_later = np.concatenate([delay[happens] for happens, delay in after.values()])
    message = keys("msg-", block * 1_000_000 + np.arange(size) + 1, 9)
    return table(
        "email_events",
        {
            "email_event_id": keys("em-", block * 10_000_000 + np.arange(len(row)) + 1, 10),
            "account_id": accounts.key[account[row]],
            "user_id": users.key[user[row]],
            "message_id": message[row],
            "event": kind,
            "occurred_at": sent[row] + (np.minimum(days_later, 4.5) * 8.64e10).astype("m8[us]"),
            "campaign": np.full(len(row), "product_news", object),
        },
    )


def touchpoint_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`touchpoints`: a kick-off for new accounts, check-ins and QBRs by tier; restless customers miss more of them.

    A meeting is booked, and known, twelve days ahead.
    """
    random = company.random(block, "touchpoints")
    calendar, size = company.calendar, len(accounts)
    ahead = np.concatenate([calendar.mondays, calendar.end + np.arange(3) * WEEK])
    age = (ahead[None, :] - outcomes.created[:, None]).astype(int) // 7
    phase = random.integers(0, 26, size)
    parts: list[tuple[str, np.ndarray, Days]] = [
        ("kickoff", np.arange(size), outcomes.created + random.integers(1, 9, size) * DAY)
    ]
    for kind, every in MEETINGS.items():
        weeks = np.array(every)[outcomes.tier][:, None]
        takes_part = (random.random(size) < np.array([0, 0.6, 0.95])[outcomes.tier])[:, None]
        due = (weeks > 0) & takes_part & (age > 2) & ((age + phase[:, None]) % np.maximum(weeks, 1) == 0)
        week, account = np.nonzero(due.T)
        parts.append((kind, account, ahead[week] + random.integers(0, 5, len(week)) * DAY))
    kind = np.repeat([part[0] for part in parts], [len(part[1]) for part in parts]).astype(object)
    account, day = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
    keep = (
        (day > outcomes.created[account]) & ~(day >= outcomes.churn[account]) & (day >= calendar.first_day - 26 * WEEK)
    )
    kind, account, day = kind[keep], account[keep], day[keep]

    count = len(account)
    level = activity[account, calendar.week_of(day)]
    misses = random.random(count) < MISSED + 0.35 * (level < 0.25)
    cancelled = ~misses & (random.random(count) < CANCELLED)
    at = calendar.moment(day, np.round(office_hours(random, count) * 2) / 2, accounts.zone[account])
    owner, _ = team_emails(company, accounts.owner[account])
    return table(
        "touchpoints",
        {
            "touchpoint_id": keys("tp-", block * 100_000 + np.arange(count) + 1, 8),
            "account_id": accounts.key[account],
            "user_id": users.key[users.first_of_account[account]],
            "kind": kind,
            "scheduled_at": at,
            "held_at": np.where(misses | cancelled, NEVER, at + np.timedelta64(4, "m")),
            "is_missed": misses,
            "owner_email": owner,
            "_loaded_at": np.maximum(at - BOOKED_AHEAD.astype("m8[us]"), accounts.created_at[account]) + SLOWEST,
        },
    )


def attendance_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`event_attendance`: a training in the first weeks for most, then a monthly webinar for those who like them."""
    random = company.random(block, "attendance")
    calendar, size = company.calendar, len(accounts)
    joins = random.random(size) < 0.10 + 0.65 * outcomes.liveliness
    first_training = outcomes.created + random.integers(5, 40, size) * DAY
    trained = np.flatnonzero(joins & ~(first_training >= outcomes.churn))

    webinars = np.arange(3, len(calendar.mondays), 4)
    chance = 0.04 * activity[:, webinars]
    seat, account = np.nonzero((random.random(chance.shape) < chance).T)
    day = calendar.mondays[webinars[seat]] + 2 * DAY
    here = (day > outcomes.created[account]) & ~(day >= outcomes.churn[account])
    seat, account, day = seat[here], account[here], day[here]

    titles = np.array(vocabulary().words["trainings"], object)
    account_all = np.concatenate([trained, account])
    people = np.bincount(users.account, minlength=size)
    user = users.first_of_account[account_all] + (random.random(len(account_all)) * people[account_all]).astype(int)
    began: Moments = calendar.moment(
        np.concatenate([first_training[trained], day]), np.full(len(account_all), 15.0), accounts.zone[account_all]
    )
    kinds = np.where(seat % 5 == 4, "user_group", "webinar").astype(object)
    return table(
        "event_attendance",
        {
            "attendance_id": keys("att-", block * 100_000 + np.arange(len(account_all)) + 1, 8),
            "account_id": accounts.key[account_all],
            "user_id": users.key[user],
            "kind": np.concatenate([np.full(len(trained), "training", object), kinds]),
            "title": np.concatenate([np.full(len(trained), titles[0], object), titles[seat % len(titles)]]),
            "occurred_at": began,
            "has_attended": random.random(len(account_all)) > 0.12,
        },
    )
