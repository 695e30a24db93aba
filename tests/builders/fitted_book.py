"""Observations of a book of accounts, as the backtest reads them, of which one knows why accounts left."""

import numpy as np
import pandas as pd

from cs_pipeline.health.metrics import METRICS

CAUSES = ("seat_utilisation", "open_tickets")
"""What makes accounts of the book leave: little use, and many tickets."""
CANDIDATES = tuple(name for name, metric in METRICS.items() if metric.healthier != "either")
NOISE = tuple(name for name in CANDIDATES if name not in CAUSES)
WEEKS = 78


def observed_book(seed: int, accounts: int = 600, looks: int = 6, level: float = -2.5) -> pd.DataFrame:
    """Observations of accounts, some of which leave; all metrics but CAUSES are noise, alike within an account."""
    random = np.random.default_rng(seed)
    account = np.repeat(np.arange(accounts), looks)
    week = np.tile(np.arange(looks) * (WEEKS // looks), accounts) + random.integers(0, WEEKS // looks, len(account))
    values = {
        name: random.normal(size=accounts)[account] + 0.5 * random.normal(size=len(account)) for name in CANDIDATES
    }
    use = random.normal(size=accounts)[account] + 0.7 * random.normal(size=len(account))
    tickets = np.floor(np.clip(2 + 1.5 * random.normal(size=len(account)), 0, None))
    values |= {"seat_utilisation": np.clip(0.6 + 0.2 * use, 0, None), "open_tickets": tickets}
    departs = random.random(len(account)) < 1 / (1 + np.exp(-(level - 0.9 * use + 0.6 * (tickets - 2))))
    started = pd.Timestamp(2024, 1, 1)
    rows = pd.DataFrame(
        {
            "account_id": np.char.add("a", account.astype(str)),
            "week": started + pd.to_timedelta(7 * week, unit="D"),
            "departs": departs,
            **values,
        }
    ).sort_values(["account_id", "week"], ignore_index=True)
    before = rows.groupby("account_id")["departs"].cumsum() - rows["departs"]
    return rows[before == 0].reset_index(drop=True)
