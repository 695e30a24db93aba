"""`python -m benchmarks.fitting`: what it costs to fit a score model, beside one logistic regression on the same rows.

Observations are made of numbers in memory: reading them is one query, and is in the figures of the backtest. An account
has 8 of them in 104 weeks when it is looked at before renewals, and 52 when it is every fortnight.
"""

import argparse
import resource
import time
from collections.abc import Callable

import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.results import write_section
from cs_pipeline.fitting.fit import MOST_METRICS
from cs_pipeline.fitting.scorecard import make_scorecard
from cs_pipeline.fitting.selection import candidates
from cs_pipeline.fitting.stability import RESAMPLINGS, resample
from tests.builders.fitted_book import CANDIDATES, observed_book

LOOKS = {"before renewals": 8, "every fortnight": 52}


def main() -> None:
    """Measure, print, and keep the table in benchmarks/results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fitting", description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    accounts = parser.parse_args().accounts
    rows = []
    for name, looks in LOOKS.items():
        book = observed_book(1, accounts=accounts, looks=looks, level=-5.5)
        size = f"{accounts:,} accounts, {name}: {len(book):,} observations, {len(CANDIDATES)} candidates"
        floor = _processor_seconds(lambda book=book: _floor(book))
        fitted = _processor_seconds(lambda book=book: make_scorecard(candidates(book, CANDIDATES), MOST_METRICS))
        among = candidates(book, CANDIDATES)
        again = _processor_seconds(lambda among=among: resample(among, MOST_METRICS))
        rows += [
            f"| floor: a logistic regression on all candidates | {size} | {floor:.1f} |  |",
            f"| one score model | {size} | {fitted:.1f} | {fitted / floor:.1f} × floor |",
            f"| {RESAMPLINGS} more, of accounts drawn anew | {size} | {again:.1f} |  |",
        ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    write_section(
        "Fitting",
        [
            "`python -m benchmarks.fitting`: a score model of at most eight metrics, and its resamplings (of at most",
            f"30,000 observations). {peak:,.0f} MB at most, the observations and the floor included.",
            "",
            "| what | size | processor s | comes to |",
            "|---|---:|---:|---|",
            *rows,
        ],
    )


def _floor(book: pd.DataFrame) -> None:
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(book[list(CANDIDATES)].to_numpy(float), book["departs"])


def _processor_seconds(work: Callable[[], object]) -> float:
    with threadpool_limits(1):
        before = time.process_time()
        work()
        return time.process_time() - before


if __name__ == "__main__":
    main()
