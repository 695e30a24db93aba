"""Generate earlier versions of accounts: tier and plan follow the contract, owners hand accounts over, misfit is
noticed late. The newest version is what `accounts` shows; all of them are kept beside the truth."""

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts, owner_count, team_emails
from cs_pipeline.demo.company import WEEK, SampleCompany
from cs_pipeline.demo.contracts import PLANS, Contracts
from cs_pipeline.demo.planted_outcomes import BAD_FIT, TIERS, Outcomes
from cs_pipeline.demo.timeline import VERSIONED_COLUMNS
from cs_pipeline.demo.truth import VERSIONS_SCHEMA

HANDED_OVER = 0.12


def account_versions(
    company: SampleCompany, block: int, accounts: Accounts, outcomes: Outcomes, contracts: Contracts
) -> tuple[pa.Table, dict[str, np.ndarray]]:
    """All versions up to the end, and the columns of the newest one by account.

    A version begins where a base period begins, an owner takes over, or the misfit is noticed.
    """
    random = company.random(block, "versions")
    size, end = len(accounts), company.calendar.end
    first = np.datetime64(company.first_week, "D")
    span = (end - np.maximum(outcomes.created, first)).astype(int)
    hands_over = random.random(size) < HANDED_OVER
    handover = np.maximum(outcomes.created, first) + (random.random(size) * span).astype("m8[D]")
    handover = np.where(hands_over, handover, np.datetime64("NaT", "D"))
    noticed = np.where(outcomes.is_cause(BAD_FIT), outcomes.onset + 6 * WEEK, np.datetime64("NaT", "D"))

    terms = contracts.terms
    everyone = np.arange(size)
    account = np.concatenate([everyone, terms.account, everyone, everyone])
    from_ = np.concatenate([outcomes.created, terms.started, handover, noticed])
    keep = (from_ < end) & ~(from_ < outcomes.created[account])
    account, from_ = account[keep], from_[keep]
    order = np.lexsort((from_, account))
    account, from_ = account[order], from_[order]

    same_day = np.append((account[1:] == account[:-1]) & (from_[1:] == from_[:-1]), False)
    account, from_ = account[~same_day], from_[~same_day]
    tier = _tier_then(contracts, outcomes, account, from_)
    owner = np.where(
        from_ < handover[account], (accounts.owner[account] + 1) % owner_count(company), accounts.owner[account]
    )
    owner_email, manager_email = team_emails(company, owner)
    columns = {
        "tier": TIERS[tier],
        "plan": PLANS[tier],
        "owner_email": owner_email,
        "manager_email": manager_email,
        "is_bad_fit": from_ >= noticed[account],
    }
    is_news = np.ones(len(account), bool)
    is_news[1:] = account[1:] != account[:-1]
    for column in columns.values():
        is_news[1:] |= column[1:] != column[:-1]
    newest = np.append(account[1:] != account[:-1], True)
    log = {"account_id": accounts.key[account], "valid_from": from_.astype("M8[us]"), **columns}
    versions = pa.table({name: values[is_news] for name, values in log.items()}, schema=VERSIONS_SCHEMA)
    return versions, {name: columns[name][newest] for name in VERSIONED_COLUMNS}


def _tier_then(contracts: Contracts, outcomes: Outcomes, account: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Tier of the base period that each account was in on its `day`; before the first, the one it begins with."""
    terms = contracts.terms
    order = terms.account.astype(np.int64) * 1_000_000 + terms.started.astype(np.int64)
    asked = account.astype(np.int64) * 1_000_000 + day.astype(np.int64)
    place = np.maximum(np.searchsorted(order, asked, side="right") - 1, 0)
    belongs = (len(terms.account) > 0) & (terms.account[place] == account)
    return np.where(belongs, terms.tier[place], outcomes.tier[account])
