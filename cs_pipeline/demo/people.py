"""The people in the accounts: who they are, when they come and go. Fills `users` and `contact_roles`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import DAY, WEEK, Days, Moments, SampleCompany, office_hours
from cs_pipeline.demo.planted_outcomes import CHAMPION_LEFT, EXPANSION, NO_ONBOARDING, Outcomes
from cs_pipeline.demo.tables import SLOWEST, Columns, keys, text
from cs_pipeline.demo.vocabulary import Country, vocabulary

TYPICAL_USERS = np.array([4, 10, 28])  # by tier
MOST_USERS = np.array([9, 45, 160])

POINT_OF_CONTACT, CHAMPION, SPONSOR = 0, 1, 2  # a person's place among the people of its account


@dataclass(frozen=True)
class Users:
    """One element a person, ordered by account. `place` counts within the account; `eagerness` is 0 for a licence
    that nobody uses; `rank` (0 to 1) says how lively an account must be for the person to take part. `created_at` is
    the moment of the day `created`, never before the account's."""

    key: np.ndarray
    account: np.ndarray
    place: np.ndarray
    name: np.ndarray
    email: np.ndarray
    zone: np.ndarray
    created: Days
    created_at: Moments
    deleted: Days
    unsubscribed: Days
    eagerness: np.ndarray
    rank: np.ndarray
    first_of_account: np.ndarray

    def __len__(self) -> int:
        return len(self.key)


def gather_users(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> Users:
    """The people of a block's accounts: a few at sign-up, more as the account grows; some leave."""
    random = company.random(block, "users")
    calendar = company.calendar
    grown = random.lognormal(np.log(TYPICAL_USERS[outcomes.tier]), 0.45)
    grown *= np.where(outcomes.outcome == EXPANSION, 1.5, 1)
    counts = np.clip(np.round(grown).astype(int), 2, MOST_USERS[outcomes.tier])
    account = np.repeat(np.arange(len(accounts)), counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(account)) - first[account]
    size = len(account)

    share = place / counts[account]
    days_in = np.select(
        [place == 0, share < 0.55, share < 0.85],
        [0, random.exponential(8, size) + 0.5, 14 + random.exponential(45, size)],
        60 + random.exponential(220, size),
    )
    created = outcomes.created[account] + days_in.astype(int) * DAY
    comes_with_growth = (
        (share >= 0.65) & (outcomes.outcome == EXPANSION)[account] & ~np.isnat(outcomes.expansion[account])
    )
    created = np.where(comes_with_growth, outcomes.expansion[account] + random.integers(0, 28, size) * DAY, created)

    leaves = (random.random(size) < 0.07) & (place > SPONSOR)
    never = np.full(size, np.datetime64("NaT", "D"))
    deleted = np.where(leaves, created + (60 + random.exponential(300, size)).astype(int) * DAY, never)
    champion_leaves = (place == CHAMPION) & outcomes.is_cause(CHAMPION_LEFT)[account]
    created = np.where(champion_leaves, np.minimum(created, outcomes.onset[account] - 8 * WEEK), created)
    created = np.maximum(created, outcomes.created[account])
    deleted = np.where(champion_leaves, outcomes.onset[account], deleted)
    unsubscribes = random.random(size) < 0.05
    after = np.maximum(created, calendar.first_day) + (20 + random.exponential(200, size)).astype(int) * DAY

    eagerness = random.gamma(3.0, 1 / 3.0, size)
    eagerness[random.random(size) < 0.07] = 0.0
    eagerness[place == CHAMPION] = 1.3 + random.random(int((place == CHAMPION).sum()))
    eagerness[place == POINT_OF_CONTACT] = 0.7 + random.random(len(accounts))
    eagerness[(place == SPONSOR) & (outcomes.tier[account] == 2)] = 0.15
    rank = random.random(size)
    rank[place <= CHAMPION] *= 0.4

    name, email, zone = _name_people(random, accounts, account)
    email[(random.random(size) < 0.04) & (place > CHAMPION)] = None
    return Users(
        key=keys("usr-", block * 1_000_000 + np.arange(size) + 1, 9),
        account=account,
        place=place,
        name=name,
        email=email,
        zone=zone,
        created=created,
        created_at=np.maximum(
            calendar.moment(created, 6 + 3 * random.random(size), zone), accounts.created_at[account] + place
        ),
        deleted=deleted,
        unsubscribed=np.where(unsubscribes, after, never),
        eagerness=eagerness,
        rank=rank,
        first_of_account=first,
    )


def _name_people(
    random: np.random.Generator, accounts: Accounts, account: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names, e-mail addresses and time zones; one in ten comes from another country than the account."""
    countries: tuple[Country, ...] = vocabulary().countries
    size = len(account)
    foreign = random.random(size) < 0.10
    origin = np.where(foreign, random.integers(0, len(countries), size), accounts.country[account])
    pick = random.random(size)
    name, local = np.empty(size, object), np.empty(size, object)
    for index, country in enumerate(countries):
        names, locals_ = country.people()
        these = np.flatnonzero(origin == index)
        chosen = (pick[these] * len(names)).astype(int)
        name[these], local[these] = names[chosen], locals_[chosen]
    again = pd.DataFrame({"account": account, "local": local}).groupby(["account", "local"]).cumcount().to_numpy()
    number = np.where(again > 0, (again + 1).astype(str), "").astype(object)
    return name, local + number + "@" + accounts.domain[account], accounts.zone[account]


def user_columns(company: SampleCompany, block: int, accounts: Accounts, users: Users, outcomes: Outcomes) -> Columns:
    """Columns of `users`."""
    random = company.random(block, "user details")
    size = len(users)
    stages = vocabulary().words["onboarding_steps"]
    reached = np.minimum(
        (outcomes.liveliness[users.account] * random.uniform(0.5, 2.2, size) * len(stages)).astype(int), len(stages) - 1
    )
    stuck = outcomes.is_cause(NO_ONBOARDING)[users.account]
    moment = company.calendar.moment
    return {
        "user_id": users.key,
        "account_id": accounts.key[users.account],
        "email": users.email,
        "full_name": users.name,
        "created_at": users.created_at,
        "deleted_at": moment(users.deleted, office_hours(random, size), users.zone),
        "timezone": text(vocabulary().timezones, users.zone),
        "unsubscribed_at": moment(users.unsubscribed, office_hours(random, size), users.zone),
        "onboarding_stage": text(
            [f"Step {number}" for number, _ in enumerate(stages, start=1)],
            np.where(stuck, np.minimum(reached, 1), reached),
        ),
        "_loaded_at": users.created_at + SLOWEST,
    }


def role_columns(accounts: Accounts, users: Users, outcomes: Outcomes) -> Columns:
    """Columns of `contact_roles`: a contact for each account, a champion (often the power user too), a sponsor for
    the large. The champion's role ends on the day the champion leaves; nobody follows at once."""
    everyone = users.first_of_account
    champion = np.flatnonzero(users.place == CHAMPION)
    sponsor = np.flatnonzero((users.place == SPONSOR) & (outcomes.tier[users.account] > 0))
    who = np.concatenate([everyone, champion, champion, sponsor])
    sizes = [len(everyone), len(champion), len(champion), len(sponsor)]
    role = np.repeat(["point_of_contact", "champion", "power_user", "executive_sponsor"], sizes).astype(object)
    return {
        "account_id": accounts.key[users.account[who]],
        "user_id": users.key[who],
        "role": role,
        "started_on": users.created[who],
        "ended_on": users.deleted[who],
        "_loaded_at": np.maximum(users.created[who].astype("M8[us]"), users.created_at[who]) + SLOWEST,
    }
