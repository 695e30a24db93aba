"""Generate accounts: their names, places, and the team that looks after them. Fills `accounts`."""

from dataclasses import dataclass

import numpy as np

from cs_pipeline.demo.company import BLOCK_ACCOUNTS, Moments, SampleCompany
from cs_pipeline.demo.planted_outcomes import Outcomes
from cs_pipeline.demo.tables import Columns, keys, text
from cs_pipeline.demo.vocabulary import to_ascii, vocabulary

OUR_DOMAIN = "example.com"
ACCOUNTS_PER_OWNER = 50
TYPICAL_EMPLOYEES = np.array([24, 140, 1120])  # by tier


@dataclass(frozen=True)
class Accounts:
    """One element an account: key, moment of sign-up, name, domain; indexes of country, zone, industry and owner."""

    key: np.ndarray
    created_at: Moments
    name: np.ndarray
    domain: np.ndarray
    industry: np.ndarray
    country: np.ndarray
    zone: np.ndarray
    owner: np.ndarray

    def __len__(self) -> int:
        return len(self.key)


def account_keys(block: int, size: int) -> np.ndarray:
    """The keys of a block of `size` accounts."""
    return keys("acc-", block * BLOCK_ACCOUNTS + np.arange(size) + 1, 6)


def name_accounts(company: SampleCompany, block: int, outcomes: Outcomes) -> Accounts:
    """Name the accounts of a block; a name depends on the account's number and the seed alone."""
    words = vocabulary()
    random = company.random(block, "accounts")
    size = len(outcomes.created)
    numbers = block * BLOCK_ACCOUNTS + np.arange(size)
    length = len(words.country_cycle)
    cycle = company.random(0, "countries").permutation(words.country_cycle)
    earlier = np.array([(cycle[:place] == cycle[place]).sum() for place in range(length)])
    per_cycle = np.bincount(cycle, minlength=len(words.countries))
    country = cycle[numbers % length]
    ordinal = numbers // length * per_cycle[country] + earlier[numbers % length]
    named = [words.countries[c].company(int(o)) for c, o in zip(country, ordinal, strict=True)]

    zone_index = {zone: index for index, zone in enumerate(words.timezones)}
    zones = [[zone_index[zone] for zone in place.timezones] for place in words.countries]
    zone = np.array([zones[c][int(p * len(zones[c]))] for c, p in zip(country, random.random(size), strict=True)])
    return Accounts(
        key=account_keys(block, size),
        created_at=company.calendar.moment(outcomes.created, 8 + 9 * random.random(size), zone),
        name=np.array([name for name, _, _ in named], object),
        domain=np.array([domain for _, domain, _ in named], object),
        industry=np.array([industry for _, _, industry in named]),
        country=country,
        zone=zone,
        owner=random.integers(0, owner_count(company), size),
    )


def account_columns(company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes) -> Columns:
    """Columns of `accounts` that do not change; owner, tier, plan and fit are in `versions`."""
    words = vocabulary()
    random = company.random(block, "account details")
    size = len(accounts)
    has_parent = (random.random(size) < 0.05) & (np.arange(size) > 10)
    parents = accounts.key[random.integers(0, 10, size) % size]
    goals = np.array(words.words["sales_goals"], object)
    return {
        "account_id": accounts.key,
        "account_name": accounts.name,
        "created_at": accounts.created_at,
        "churned_at": company.calendar.moment(outcomes.churn, 9 + 8 * random.random(size), accounts.zone),
        "industry": text(words.industries, accounts.industry),
        "employee_count": np.round(TYPICAL_EMPLOYEES[outcomes.tier] * random.lognormal(0, 0.7, size)).astype(int) + 3,
        "country": text([country.code for country in words.countries], accounts.country),
        "timezone": text(words.timezones, accounts.zone),
        "executive_email": _colleague_emails("executives", 1)[np.zeros(size, int)],
        "slack_channel": np.array(["#acct-" + domain.partition(".")[0][:60] for domain in accounts.domain], object),
        "parent_account_id": np.where(has_parent, parents, np.array(None)),
        "sales_goal": np.where(random.random(size) < 0.8, goals[random.integers(0, len(goals), size)], np.array(None)),
    }


def owner_count(company: SampleCompany) -> int:
    """Number of CSMs: six, and more for a company with more than 300 accounts."""
    return max(6, company.accounts // ACCOUNTS_PER_OWNER)


def team_emails(company: SampleCompany, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Addresses of the CSMs by number and of their managers, at a reserved domain."""
    owners = _colleague_emails("owners", owner_count(company))
    managers = _colleague_emails("managers", max(2, owner_count(company) // 12))
    return owners[owner], managers[owner % len(managers)]


def _colleague_emails(team: str, size: int) -> np.ndarray:
    """`size` addresses at our domain, from the names of a team; beyond the names, numbered."""
    names = vocabulary().words["colleagues"][team]
    local = [to_ascii(name).lower().replace(" ", ".") for name in names]
    laps = (f"{local[i % len(local)]}{i // len(local) + 1 if i >= len(local) else ''}" for i in range(size))
    return np.array([f"{address}@{OUR_DOMAIN}" for address in laps], object)
