"""Generate contracts: terms, growth and shrinkage within them, add-ons, invoices."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import DAY, WEEK, Days, SampleCompany
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import CHURN, EXPANSION, OLDEST_WEEKS, PRICE, TIERS, Outcomes, add_months
from cs_pipeline.demo.tables import SLOWEST, keys, table

PLANS = np.array(["Essential", "Team", "Business"], object)
SEAT_PRICE = np.array([18.0, 46.0, 88.0])
FLAT_PRICE = 49.0
ADD_ONS = np.array(["Text messages", "Premium support", "Dedicated sender"], object)
ADD_ON_PRICE = np.array([35.0, 120.0, 240.0])
NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class Terms:
    """Base periods of constant plan, seats and price; one element a period, ordered by account and start."""

    account: np.ndarray
    tier: np.ndarray
    seats: np.ndarray
    mrr: np.ndarray
    started: Days
    ended: Days
    renews: Days
    is_trial: np.ndarray


@dataclass(frozen=True)
class Contracts:
    """Terms, and by account: who renews by signature, how often is billed, whether the plan is sold by seat."""

    terms: Terms
    is_manual: np.ndarray
    billing_months: np.ndarray


def draw_up(company: SampleCompany, block: int, users: Users, outcomes: Outcomes) -> Contracts:
    """The contracts of a block: a trial for some, then terms that renew, each cut where seats or tier change.

    A term that needs a signature may be signed late: until then the old period runs past its renewal date.
    """
    random = company.random(block, "contracts")
    size = len(outcomes.tier)
    is_manual = (random.random(size) < np.array([0.05, 0.35, 0.7])[outcomes.tier]) & (outcomes.contract_months > 1)
    billing = np.where(random.random(size) < np.array([0.25, 0.4, 0.6])[outcomes.tier], outcomes.contract_months, 1)
    billing = np.where(outcomes.is_cause(PRICE), 1, np.minimum(billing, 12))

    paid_from = outcomes.created + np.where(outcomes.has_trial, 14, 0) * DAY
    laps = np.arange(1, (company.weeks + OLDEST_WEEKS) // 52 + 3)
    renewals = add_months(np.repeat(paid_from, len(laps)), (outcomes.contract_months[:, None] * laps).ravel())
    renewals = renewals.reshape(size, len(laps))
    renewals[outcomes.contract_months == 1] = NEVER
    is_late = is_manual[:, None] & (random.random(renewals.shape) < 0.45)
    signed = renewals + np.where(is_late, random.integers(3, 24, renewals.shape), 0) * DAY

    grows = ~np.isnat(outcomes.expansion) & (outcomes.expansion > paid_from + 4 * WEEK)
    shrinks = (random.random(size) < 0.12) & (outcomes.outcome != EXPANSION)
    changed = np.where(grows, outcomes.expansion, np.where(shrinks, _some_day(random, paid_from, company), NEVER))
    starts = np.sort(np.column_stack([paid_from, signed, changed]), axis=1)  # NaT sorts last
    ends = np.column_stack([starts[:, 1:], np.full(size, NEVER)])
    leaves = outcomes.churn[:, None]
    ends = np.where(np.isnat(ends) | (ends >= leaves), leaves, ends)
    real = ~np.isnat(starts) & ~(starts >= leaves) & (starts < company.calendar.end)
    account, _ = np.nonzero(real)
    started, ended = starts[real], ends[real]

    term = (signed[account] <= started[:, None]).sum(axis=1)
    renews = np.where(outcomes.contract_months[account] == 1, NEVER, renewals[account, np.minimum(term, len(laps) - 1)])
    has_changed = ~np.isnat(changed[account]) & (started >= changed[account])
    seats, tier = _seats_and_tiers(random, company, users, outcomes, account, grows, shrinks, has_changed)
    yearly_rise = 1 + 0.04 * term
    priced = seats * SEAT_PRICE[tier] * yearly_rise * random.uniform(0.8, 1.1, size)[account]
    is_flat = (outcomes.tier == 0) & (random.random(size) < 0.18)
    mrr = np.where(is_flat[account] & (tier == 0), FLAT_PRICE * yearly_rise, priced)
    terms = Terms(
        account=account,
        tier=tier,
        seats=np.where(is_flat[account] & (tier == 0), np.nan, seats),
        mrr=np.round(mrr, 2),
        started=started,
        ended=ended,
        renews=renews,
        is_trial=np.zeros(len(account), bool),
    )
    return Contracts(_with_trials(terms, outcomes), is_manual, billing)


def _some_day(random: np.random.Generator, paid_from: Days, company: SampleCompany) -> Days:
    earliest = np.maximum(paid_from + 13 * WEEK, np.datetime64(company.first_week, "D"))
    span = np.maximum((company.calendar.end - earliest).astype(int), 1)
    return earliest + (random.random(len(paid_from)) * span).astype(int) * DAY


def _seats_and_tiers(
    random: np.random.Generator,
    company: SampleCompany,
    users: Users,
    outcomes: Outcomes,
    account: np.ndarray,
    grows: np.ndarray,
    shrinks: np.ndarray,
    has_changed: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Seats and tier of each period: enough for the people expected, more after growth, fewer after shrinkage."""
    size = len(outcomes.tier)
    is_here = (users.created < company.calendar.end) & np.isnat(users.deleted)
    people = np.maximum(np.bincount(users.account, is_here, size), 2)
    before_growth = np.bincount(users.account, users.created < outcomes.expansion[users.account], size)
    people = np.where(grows, np.maximum(before_growth, 2), people)
    spare = 1 + random.exponential(0.30, size)
    seats = np.ceil(people * spare)[account]
    seats = np.where(has_changed & grows[account], np.ceil(seats * 1.6) + 1, seats)
    seats = np.where(has_changed & shrinks[account], np.maximum(np.floor(seats * 0.75), 1), seats)
    moves_up = grows & (outcomes.tier < 2) & (random.random(size) < 0.35)
    moves_down = shrinks & (outcomes.tier > 0) & (random.random(size) < 0.3)
    tier = outcomes.tier[account] + (has_changed & moves_up[account]) - (has_changed & moves_down[account])
    return seats, tier


def _with_trials(terms: Terms, outcomes: Outcomes) -> Terms:
    """`terms` with the free fortnight of those who began with one in front."""
    trial = np.flatnonzero(outcomes.has_trial)
    size = len(trial)
    fortnight = Terms(
        account=trial,
        tier=outcomes.tier[trial],
        seats=np.full(size, np.nan),
        mrr=np.zeros(size),
        started=outcomes.created[trial],
        ended=outcomes.created[trial] + 14 * DAY,
        renews=np.full(size, NEVER),
        is_trial=np.ones(size, bool),
    )
    both = {name: np.concatenate([vars(fortnight)[name], vars(terms)[name]]) for name in vars(terms)}
    order = np.lexsort((both["started"], both["account"]))
    return Terms(**{name: column[order] for name, column in both.items()})


def subscription_table(
    company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes, c: Contracts
) -> pa.Table:
    """`subscriptions`: base periods, then add-ons, which run from month to month until the account leaves."""
    random = company.random(block, "add-ons")
    terms = c.terms
    buys = np.flatnonzero(random.random(len(accounts)) < np.array([0.06, 0.18, 0.3])[outcomes.tier])
    kind = random.integers(0, len(ADD_ONS), len(buys))
    from_ = outcomes.created[buys] + (30 + random.exponential(200, len(buys))).astype(int) * DAY
    in_time = (from_ < company.calendar.end) & ~(from_ >= outcomes.churn[buys])
    buys, kind, from_ = buys[in_time], kind[in_time], from_[in_time]
    base, extra = len(terms.account), len(buys)

    def both(of_terms: np.ndarray, of_add_ons: np.ndarray) -> np.ndarray:
        return np.concatenate([of_terms, of_add_ons])

    account = both(terms.account, buys)
    return table(
        "subscriptions",
        {
            "subscription_id": keys("sub-", block * 100_000 + np.arange(base + extra) + 1, 8),
            "account_id": accounts.key[account],
            "product": both(np.full(base, "Platform", object), ADD_ONS[kind]),
            "plan": both(PLANS[terms.tier], np.full(extra, None, object)),
            "tier": both(TIERS[terms.tier], np.full(extra, None, object)),
            "seats": both(terms.seats, np.full(extra, np.nan)),
            "mrr": both(terms.mrr, ADD_ON_PRICE[kind]),
            "started_on": both(terms.started, from_),
            "ended_on": both(terms.ended, outcomes.churn[buys]),
            "renews_on": both(terms.renews, np.full(extra, NEVER)),
            "auto_renew": ~c.is_manual[account],
            "billing_months": both(c.billing_months[terms.account], np.ones(extra, int)),
            "is_trial": both(terms.is_trial, np.zeros(extra, bool)),
            "is_addon": both(np.zeros(base, bool), np.ones(extra, bool)),
            "_loaded_at": np.maximum(both(terms.started, from_).astype("M8[us]"), accounts.created_at[account])
            + SLOWEST,
        },
    )


def invoice_table(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes, c: Contracts) -> pa.Table:
    """`invoices` of the base periods from half a year before the first week. Who leaves over the price pays late
    from the onset on, and then not at all."""
    random = company.random(block, "invoices")
    terms, calendar = c.terms, company.calendar
    paying = np.flatnonzero(~terms.is_trial)
    every = c.billing_months[terms.account]
    until = np.where(np.isnat(terms.ended), calendar.end, np.minimum(terms.ended, calendar.end))
    months = (until - terms.started).astype(int) / 30.4
    counts = np.maximum(np.ceil(months / every), 1).astype(int)[paying]
    row = np.repeat(paying, counts)
    lap = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    issued = add_months(terms.started[row], lap * every[row])
    keep = (issued < until[row]) & (issued >= calendar.first_day - 26 * WEEK)
    row, issued = row[keep], issued[keep]
    account, size = terms.account[row], int(keep.sum())

    pays_late = random.random(len(accounts)) < 0.08
    due = issued + np.where(outcomes.tier[account] == 2, 30, 14) * DAY
    delay = random.normal(-5, 4, size).astype(int)
    delay = np.where((random.random(size) < 0.03 + 0.35 * pays_late[account]), random.integers(1, 40, size), delay)
    strained = outcomes.is_cause(PRICE)[account] & (issued >= outcomes.onset[account] - 4 * WEEK)
    delay = np.where(strained, random.integers(20, 60, size), delay)
    paid = np.maximum(due + delay * DAY, issued)
    unpaid = ((outcomes.outcome == CHURN)[account] & (paid >= outcomes.churn[account])) | (
        strained & (random.random(size) < 0.5)
    )
    return table(
        "invoices",
        {
            "invoice_id": keys("inv-", block * 1_000_000 + np.arange(size) + 1, 9),
            "account_id": accounts.key[account],
            "issued_on": issued,
            "due_on": due,
            "amount": np.round(terms.mrr[row] * every[row], 2),
            "paid_at": calendar.moment(
                np.where(unpaid, NEVER, paid), 8 + 10 * random.random(size), accounts.zone[account]
            ),
            "_loaded_at": np.maximum(issued.astype("M8[us]"), accounts.created_at[account]) + SLOWEST,
        },
    )
