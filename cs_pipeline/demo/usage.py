"""Generate `events`: by far the largest table, so everything is whole-array arithmetic.

A session is a login, page views, feature uses and now and then something rarer; accounts that call the API add a daily
batch of calls. A small share of rows reaches the warehouse days late.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from cs_pipeline.demo.accounts import Accounts
from cs_pipeline.demo.company import WEEK, Days, Moments, SampleCompany
from cs_pipeline.demo.people import Users
from cs_pipeline.demo.planted_outcomes import EXPANSION, PRICE, SUPPORT_PAIN, Outcomes
from cs_pipeline.demo.sessions import Learned, Sessions, hold_sessions, learn_features
from cs_pipeline.demo.tables import schemas
from cs_pipeline.demo.vocabulary import vocabulary

LATE_SHARE = 0.02
LONGEST_DELAY_DAYS = 18
API_USERS = np.array([0.08, 0.3, 0.7])  # share of accounts that call the API, by tier

NAMES = [
    "login", "page_view", "feature_used", "campaign_sent", "api_call", "doc_view", "click", "community_post",
    "automation_created", "automation_deactivated", "integration_connected", "integration_disconnected",
]  # fmt: skip
LOGIN, PAGE_VIEW, FEATURE_USED, CAMPAIGN_SENT, API_CALL, DOC_VIEW, CLICK, COMMUNITY_POST = range(8)
AUTOMATION_CREATED, AUTOMATION_DEACTIVATED, INTEGRATION_CONNECTED, INTEGRATION_DISCONNECTED = range(8, 12)
PAGES = ["home", "audience", "editor", "reports", "settings", "pricing", "error", "upgrade"]
PRICING, ERROR, UPGRADE = 5, 6, 7
NONE = -1


@dataclass(frozen=True)
class Rows:
    """Event rows of one kind, still as codes; user, feature and page are -1 where there is none."""

    name: int
    account: np.ndarray
    user: np.ndarray | int
    at: Moments
    feature: np.ndarray | int = NONE
    page: np.ndarray | int = NONE
    quantity: np.ndarray | float = 1.0
    seconds: np.ndarray | float = np.nan


def use_product(
    company: SampleCompany, block: int, accounts: Accounts, users: Users, outcomes: Outcomes, activity: np.ndarray,
    integrations: pa.Table,
) -> pa.Table:  # fmt: skip
    """`events` of a block. activity: accounts x weeks. integrations: the table; connecting leaves events too."""
    random = company.random(block, "events")
    sessions = hold_sessions(company, random, users, outcomes, activity)
    learned = learn_features(company, random, outcomes, activity)
    kinds = [
        *_session_rows(company, random, sessions, outcomes, learned),
        _api_calls(company, random, accounts, outcomes, activity),
        *_connections(company, accounts, integrations),
    ]
    return _as_table(company, block, random, accounts, users, kinds)


def _session_rows(
    company: SampleCompany, random: np.random.Generator, sessions: Sessions, outcomes: Outcomes, learned: Learned
) -> list[Rows]:
    size = len(sessions.user)
    everyone = np.arange(size, dtype=np.int32)
    minutes = random.lognormal(2.9, 0.8, size)
    upset = _is_between(company, sessions, outcomes.onset, outcomes.end_of_unrest)
    priced_out, pained = (upset & outcomes.is_cause(cause)[sessions.account] for cause in (PRICE, SUPPORT_PAIN))
    wants_more = _is_between(company, sessions, outcomes.expansion - 6 * WEEK, outcomes.expansion)

    def some(chance: np.ndarray | float) -> np.ndarray:
        """Sessions in which something happens that `events_scale` thins out or multiplies."""
        expected = np.broadcast_to(np.float32(company.events_scale) * chance, size)
        return np.repeat(everyone, (expected + random.random(size, dtype=np.float32)).astype(np.int8))

    def moments(of: np.ndarray) -> Moments:
        """Moments within the sessions `of`."""
        return sessions.at[of] + (random.random(len(of), dtype=np.float32) * minutes[of] * 6e7).astype("m8[us]")

    views, uses = some(0.6), np.concatenate([everyone, some(0.6)])
    used_at = moments(uses)
    rows = [
        Rows(LOGIN, sessions.account, sessions.user, sessions.at, seconds=np.round(minutes * 60)),
        Rows(
            PAGE_VIEW, sessions.account[views], sessions.user[views], moments(views),
            page=_pages(random, pained[views], priced_out[views] | wants_more[views]),
            quantity=1.0 + random.poisson(6, len(views)),
        ),
        Rows(
            FEATURE_USED, sessions.account[uses], sessions.user[uses], used_at,
            feature=_features(company, random, sessions.account[uses], sessions.week[uses], used_at, learned),
            quantity=1.0 + random.poisson(3, len(uses)),
        ),
    ]  # fmt: skip
    campaigns, automations = _feature("campaigns"), _feature("automations")
    grows = wants_more & (outcomes.outcome == EXPANSION)[sessions.account]
    for name, chance, feature, page in (
        (CAMPAIGN_SENT, 0.12, campaigns, NONE),
        (AUTOMATION_CREATED, 0.02, automations, NONE),
        (AUTOMATION_DEACTIVATED, 0.004 + 0.02 * upset, automations, NONE),
        (DOC_VIEW, 0.05, NONE, NONE),
        (COMMUNITY_POST, 0.008, NONE, NONE),
        (CLICK, 0.002 + 0.03 * grows, NONE, UPGRADE),
    ):
        of = some(chance)
        rows.append(Rows(name, sessions.account[of], sessions.user[of], moments(of), feature, page))
    return rows


def _is_between(company: SampleCompany, sessions: Sessions, first: Days, last: Days) -> np.ndarray:
    """Whether each session's week begins within [first, last) of its account."""
    mondays = company.calendar.mondays
    weeks = (mondays >= first[:, None]) & (mondays < last[:, None])
    return weeks[sessions.account, sessions.week]


def _pages(random: np.random.Generator, pained: np.ndarray, minds_price: np.ndarray) -> np.ndarray:
    """Pages looked at: errors where support is a pain, prices before leaving over them or growing."""
    page = random.integers(0, PRICING, len(pained), np.int8)
    chance = random.random(len(pained), dtype=np.float32)
    page[chance < 0.010 + 0.10 * pained] = ERROR
    page[chance > 1 - (0.008 + 0.07 * minds_price)] = PRICING
    return page


def _features(
    company: SampleCompany, random: np.random.Generator, account: np.ndarray, week: np.ndarray, at: Moments,
    learned: Learned,
) -> np.ndarray:  # fmt: skip
    """The feature of each use: one the account has taken up, and that is released by then."""
    place = learned.count[account, week] * random.random(len(account), dtype=np.float32) ** 1.25
    feature = learned.order[account, place.astype(np.int8)]
    for index, (*_, weeks_before_end) in enumerate(vocabulary().words["features"]):
        if weeks_before_end:
            too_early = (feature == index) & (at < company.calendar.end - weeks_before_end * WEEK)
            feature[too_early] = _feature("campaigns")
    return feature


def _feature(key: str) -> int:
    return [feature for feature, *_ in vocabulary().words["features"]].index(key)


def _api_calls(
    company: SampleCompany,
    random: np.random.Generator,
    accounts: Accounts,
    outcomes: Outcomes,
    activity: np.ndarray,
) -> Rows:
    """A row a working day for accounts that call the API; once a week where `events_scale` is small."""
    calls = random.random(len(accounts)) < API_USERS[outcomes.tier]
    weekdays = 5 if company.events_scale >= 0.5 else 1
    account, week, weekday = np.nonzero((calls[:, None] & (activity > 0.05))[:, :, None] & np.ones(weekdays, bool))
    day = company.calendar.mondays[week] + weekday.astype("m8[D]")
    here = (day > outcomes.created[account] + 1) & ~(day >= outcomes.churn[account])
    account, week, day = account[here], week[here], day[here]
    expected = 40 * activity[account, week] * (1 + outcomes.tier[account]) * 5 / weekdays
    at = day.astype("M8[us]") + (random.random(len(day)) * 8.64e10).astype("m8[us]")
    return Rows(API_CALL, account, NONE, at, quantity=1.0 + random.poisson(expected))


def _connections(company: SampleCompany, accounts: Accounts, integrations: pa.Table) -> list[Rows]:
    """An event for each integration connected or disconnected within the calendar."""
    account = pd.Index(accounts.key).get_indexer(integrations["account_id"].to_pandas())
    rows = []
    for name, column in ((INTEGRATION_CONNECTED, "connected_at"), (INTEGRATION_DISCONNECTED, "disconnected_at")):
        at = integrations[column].cast(pa.timestamp("us")).to_numpy()
        here = at >= company.calendar.first_day
        rows.append(Rows(name, account[here], NONE, at[here]))
    return rows


def _as_table(
    company: SampleCompany, block: int, random: np.random.Generator, accounts: Accounts, users: Users,
    kinds: list[Rows],
) -> pa.Table:  # fmt: skip
    """The canonical table of what is known by the end; text columns are dictionaries, which Parquet writes as is."""
    calendar, schema = company.calendar, schemas()["events"]
    at = np.concatenate([rows.at for rows in kinds])
    delay = 20_000_000 + (random.random(len(at), dtype=np.float32) * 2.2e8).astype("m8[us]")
    late = np.flatnonzero(random.random(len(at), dtype=np.float32) < LATE_SHARE)
    delay[late] += (random.random(len(late)) * LONGEST_DELAY_DAYS * 8.64e10).astype("m8[us]")
    loaded = at + delay
    known = np.flatnonzero((loaded < calendar.end) & (at >= calendar.first_day))

    def column(name: str, kind: type = np.int32) -> np.ndarray:
        parts = (np.broadcast_to(getattr(rows, name), len(rows.at)) for rows in kinds)
        return np.concatenate([part.astype(kind, copy=False) for part in parts])[known]

    numbers = pa.array(block * 1_000_000_000 + np.arange(len(known)) + 1)
    features = [key for key, *_ in vocabulary().words["features"]]
    columns = {
        "event_id": numbers.cast(pa.string()),
        "account_id": _coded(column("account"), accounts.key),
        "user_id": _coded(column("user"), users.key),
        "occurred_at": pa.array(at[known], schema.field("occurred_at").type),
        "event_name": _coded(column("name", np.int8), NAMES),
        "feature": _coded(column("feature", np.int8), features),
        "page": _coded(column("page", np.int8), PAGES),
        "quantity": pa.array(column("quantity", np.float64)),
        "duration_seconds": pa.array(column("seconds", np.float64), from_pandas=True),
        "_loaded_at": pa.array(loaded[known], schema.field("_loaded_at").type),
    }
    return pa.table([columns[name] for name in schema.names], names=schema.names)


def _coded(codes: np.ndarray, words: np.ndarray | list[str]) -> pa.DictionaryArray:
    indices = pa.array(codes, mask=codes < 0 if codes.min(initial=0) < 0 else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))
