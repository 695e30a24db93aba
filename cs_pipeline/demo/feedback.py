"""Generate what customers say: support tickets, survey answers, feedback, requests to cancel."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import DAY, WEEK, Moments, SampleCompany, office_hours
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import (
    BAD_FIT,
    CAUSES,
    CHURN,
    DIP,
    DISENGAGEMENT,
    PRICE,
    SUPPORT_PAIN,
    Outcomes,
)
from cs_pipeline.demo.tables import keys, table, text
from cs_pipeline.demo.vocabulary import vocabulary

PRIORITIES = ["low", "normal", "high", "critical"]
CRITICAL = 3
TYPICAL_DAYS_TO_RESOLVE = np.array([5.0, 5.0, 4.0, 2.0])
TYPICAL_HOURS_TO_ANSWER = np.array([1.7, 1.3, 0.9, 0.5])  # by priority: most are within the targets of support
CSAT_SCALE = 5.0
TALKATIVE = np.array([0.05, 0.11, 0.24])  # tickets an account and week, by tier
NEVER = np.datetime64("NaT", "us")


def ticket_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`tickets`: now and then from everybody; critical, slow and ill rated from onset on where support is the pain."""
    random = company.random(block, "tickets")
    calendar = company.calendar
    in_pain = outcomes.is_cause(SUPPORT_PAIN)[:, None] & (outcomes.unrest(calendar.mondays) > 0)
    in_pain &= activity > 0
    rate = TALKATIVE[outcomes.tier][:, None] * (0.4 + activity) * (activity > 0)
    count = random.poisson(rate) + np.where(in_pain, random.poisson(0.75, in_pain.shape), 0)
    account, week, user, created = _said(company, random, accounts, users, outcomes, count)
    size = len(account)
    pained = in_pain[account, week]

    calm = np.searchsorted([0.30, 0.82, 0.985], random.random(size))
    priority = np.where(pained & (random.random(size) < 0.65), CRITICAL, calm)
    answered_in = TYPICAL_HOURS_TO_ANSWER[priority] * random.lognormal(0, 0.9, size) * np.where(pained, 3, 1)
    resolved_in = TYPICAL_DAYS_TO_RESOLVE[priority] * random.lognormal(0, 0.8, size) * np.where(pained, 7, 1)
    answered = created + (answered_in * 3.6e9).astype("m8[us]")
    is_quick = random.random(size) < 0.02  # solved before anybody wrote back
    resolved = np.maximum(answered, created + (resolved_in * 8.64e10).astype("m8[us]"))
    content = np.clip(4.4 - 2.2 * pained - 0.3 * (resolved_in > 6) + random.normal(0, 0.7, size), 1, CSAT_SCALE)
    rates = random.random(size) < 0.45
    subjects = vocabulary().words["ticket_subjects"]
    pick = random.random(size)
    subject = [
        subjects[PRIORITIES[level]][int(share * len(subjects[PRIORITIES[level]]))]
        for level, share in zip(priority, pick, strict=True)
    ]
    kinds = vocabulary().words["ticket_kinds"]
    return table(
        "tickets",
        {
            "ticket_id": keys("tic-", block * 100_000 + np.arange(size) + 1, 8),
            "account_id": accounts.key[account],
            "user_id": users.key[user],
            "created_at": created,
            "priority": text(PRIORITIES, priority),
            "first_responded_at": np.where(is_quick, NEVER, answered),
            "resolved_at": resolved,
            "csat": np.where(rates, np.round(content), np.nan),
            "csat_scale": np.full(size, CSAT_SCALE),
            "is_escalated": pained & (random.random(size) < 0.4),
            "subject": np.array(subject, object),
            "kind": np.array([kinds.get(words, "bug") for words in subject], object),
        },
    )


def survey_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`survey_responses`: NPS each quarter from those who care to answer, CSAT and effort now and then."""
    random = company.random(block, "surveys")
    calendar = company.calendar
    quarter_starts = (calendar.week_of(outcomes.created)[:, None] + np.arange(len(calendar.mondays))[None, :]) % 13 == 0
    answers = np.array([1.1, 1.6, 3.0])[outcomes.tier][:, None] * (0.25 + 0.75 * activity)
    here = activity > 0
    moods = _moods(company, outcomes, activity)
    parts = []
    for survey, scale_max, count in (
        ("nps", 10, np.where(quarter_starts & here, random.poisson(answers), 0)),
        ("csat", 5, np.where(here, random.random(activity.shape) < 0.012, False)),
        ("ces", 7, np.where(here, random.random(activity.shape) < 0.008, False)),
    ):
        account, week, user, at = _said(company, random, accounts, users, outcomes, count.astype(int))
        mood = moods[account, week] + random.normal(0, 0.13, len(account))
        score = np.clip(np.round(mood * scale_max), 0, scale_max)
        parts.append((survey, scale_max, account, user, at, score))

    def joined(place: int) -> np.ndarray:
        return np.concatenate([part[place] for part in parts])

    sizes = [len(part[2]) for part in parts]
    scores, scales = joined(5), np.repeat([float(part[1]) for part in parts], sizes)
    size = sum(sizes)
    kind = np.select([scores >= 0.9 * scales, scores >= 0.7 * scales], [0, 1], 2)
    comments = [vocabulary().words["nps_comments"][who] for who in ("promoter", "passive", "detractor")]
    pick, writes = random.random(size), random.random(size) < 0.25
    words = [comments[k][int(p * len(comments[k]))] or None for k, p in zip(kind, pick, strict=True)]
    return table(
        "survey_responses",
        {
            "response_id": keys("srv-", block * 1_000_000 + np.arange(size) + 1, 9),
            "account_id": accounts.key[joined(2)],
            "user_id": users.key[joined(3)],
            "survey": np.repeat([part[0] for part in parts], sizes).astype(object),
            "score": scores,
            "scale_max": scales,
            "responded_at": joined(4),
            "comment": np.where(writes, np.array(words, object), np.array(None)),
        },
    )


def feedback_table(
    company: SampleCompany,
    block: int,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> pa.Table:
    """`feedback`: wishes and praise from all, objections to the price or to the fit from those who leave for it."""
    random = company.random(block, "feedback")
    unrest = (outcomes.unrest(company.calendar.mondays) > 0) & (activity > 0)
    words = vocabulary().words["feedback"]
    kinds = list(words)
    base = {"feature_request": 0.020, "complaint": 0.004, "praise": 0.012, "price_objection": 0.002,
            "competitor_mention": 0.001, "bug": 0.006, "other": 0.004}  # fmt: skip
    more = {
        ("price_objection", PRICE): 0.30, ("competitor_mention", PRICE): 0.10, ("complaint", SUPPORT_PAIN): 0.25,
        ("bug", SUPPORT_PAIN): 0.15, ("feature_request", BAD_FIT): 0.12, ("complaint", BAD_FIT): 0.05,
        ("competitor_mention", DISENGAGEMENT): 0.03,
    }  # fmt: skip
    rate = np.stack([np.where(activity > 0, base[kind] * (0.4 + activity), 0) for kind in kinds])
    for (kind, cause), extra in more.items():
        rate[kinds.index(kind)] += extra * (unrest & outcomes.is_cause(cause)[:, None])
    count = random.poisson(rate)
    found = [_said(company, random, accounts, users, outcomes, of_kind) for of_kind in count]
    kind = np.repeat(np.arange(len(kinds)), [len(account) for account, *_ in found])
    account, user, at = (np.concatenate([part[place] for part in found]) for place in (0, 2, 3))
    size = len(account)
    settles = random.random(size) < 0.6
    pick = random.random(size)
    body = [words[kinds[k]][int(p * len(words[kinds[k]]))] for k, p in zip(kind, pick, strict=True)]
    features = vocabulary().words["feedback_features"]
    return table(
        "feedback",
        {
            "feedback_id": keys("fb-", block * 100_000 + np.arange(size) + 1, 8),
            "account_id": accounts.key[account],
            "user_id": users.key[user],
            "kind": text(kinds, kind),
            "created_at": at,
            "resolved_at": np.where(settles, at + (random.exponential(15, size) * 8.64e10).astype("m8[us]"), NEVER),
            "body": np.array(body, object),
            "feature": np.array([features.get(said) for said in body], object),
        },
    )


def cancellation_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> pa.Table:
    """`cancellation_requests`: six in ten who leave say so weeks before; a few who dip do too, and withdraw it."""
    random = company.random(block, "cancellations")
    size = len(accounts)
    says_so = (outcomes.outcome == CHURN) & (random.random(size) < 0.6)
    wavers = (outcomes.outcome == DIP) & (random.random(size) < 0.12)
    notice = np.minimum(random.integers(7, 35, size), np.maximum(outcomes.lead_weeks * 7 - 7, 7)) * DAY
    leaves = outcomes.end_of_unrest
    asked = np.where(says_so, leaves - notice, np.where(wavers, outcomes.dip_from + WEEK, np.datetime64("NaT", "D")))
    who = np.flatnonzero(~np.isnat(asked))
    reasons = vocabulary().words["cancellation_reasons"]
    at = company.calendar.moment(asked[who], office_hours(random, len(who)), accounts.zone[who])
    back = at + (random.integers(3, 20, len(who)) * DAY).astype("m8[us]")
    back = np.where(wavers[who], back, outcomes.kept[who].astype("M8[us]"))
    return table(
        "cancellation_requests",
        {
            "request_id": keys("can-", block * 100_000 + who + 1, 8),
            "account_id": accounts.key[who],
            "requested_at": at,
            "withdrawn_at": back,
            "reason": np.array([reasons[CAUSES[c]] if c >= 0 else None for c in outcomes.cause[who]], object),
        },
    )


def _moods(company: SampleCompany, outcomes: Outcomes, activity: np.ndarray) -> np.ndarray:
    """How content (0 to 1) accounts are (accounts x weeks): lively ones are; pain, price and a bad fit show early."""
    annoyed = np.isin(outcomes.cause, (SUPPORT_PAIN, PRICE, BAD_FIT))[:, None]
    return 0.62 + 0.30 * np.minimum(activity, 1) - 0.45 * (annoyed & (outcomes.unrest(company.calendar.mondays) > 0))


def _said(
    company: SampleCompany,
    random: np.random.Generator,
    accounts: Accounts,
    users: Users,
    outcomes: Outcomes,
    count: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Moments]:
    """Account, week, user and moment of things that `count` (accounts x weeks) says happened; in order of weeks."""
    week, account = np.nonzero(count.T)
    times = count[account, week]
    week, account = np.repeat(week, times), np.repeat(account, times)
    day = company.calendar.mondays[week] + random.integers(0, 5, len(week)) * DAY
    here = (day > outcomes.created[account]) & ~(day >= outcomes.churn[account])
    week, account, day = week[here], account[here], day[here]
    people = np.bincount(users.account, minlength=len(accounts))
    user = users.first_of_account[account] + (random.random(len(account)) ** 2 * people[account]).astype(int)
    present = (users.created[user] <= day) & ~(users.deleted[user] <= day)
    user = np.where(present, user, users.first_of_account[account])
    at = company.calendar.moment(day, office_hours(random, len(day)), accounts.zone[account])
    return account, week, user, at
