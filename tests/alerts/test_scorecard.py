"""Scorecards: precision, lift, recall, lead time and verdict, from firings and what became of the accounts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cs_pipeline.alerts.judged_firings import Watched
from cs_pipeline.alerts.outcomes import Book
from cs_pipeline.alerts.rule import Outcome
from cs_pipeline.alerts.scorecard import Scorecard, scorecards

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 30)
CHURN = Outcome(event="churn", within_days=90, lead_days=14)


def day(number: int) -> pd.Timestamp:
    """The n-th day, from 0."""
    return pd.Timestamp(FIRST) + timedelta(days=number)


def book(leaves: Sequence[int | None], more: Sequence[tuple[int, str, int, bool]] = (), known: int = 364) -> Book:
    """Accounts a0, a1, … of which each leaves on that day, or stays; `more` has happenings of other kinds."""
    accounts = pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(len(leaves))],
            "account_name": [f"A {number}" for number in range(len(leaves))],
            "owner_email": "olga@ours.example",
            "created_on": day(-400),
            "departs_on": pd.to_datetime(pd.Series([None if left is None else day(left) for left in leaves])),
            "decided_until": day(known),
        }
    )
    rows = [(f"a{number}", "churn", day(left), True) for number, left in enumerate(leaves) if left is not None]
    rows += [(f"a{number}", event, day(on), happened) for number, event, on, happened in more]
    happenings = pd.DataFrame(rows, columns=["account_id", "event", "happens_on", "happened"])
    return Book(accounts, happenings.assign(happens_on=pd.to_datetime(happenings["happens_on"])), LAST)


def fired(*rows: tuple[str, int, int | None], rule: str = "rule", **values: object) -> pd.DataFrame:
    """Alerts: account, day of firing, day on which the condition ended."""
    return pd.DataFrame(
        {
            "rule": rule,
            "account_id": [account for account, _, _ in rows],
            "fired_at": pd.to_datetime([day(on) + timedelta(hours=6) for _, on, _ in rows], utc=True),
            "ended_at": pd.to_datetime(
                pd.Series([None if end is None else day(end) + timedelta(hours=6) for _, _, end in rows]), utc=True
            ),
            "cause": [None if end is None else "condition" for _, _, end in rows],
            "is_baseline": False,
            "hours_to_acknowledge": np.nan,
            "is_put_off": None,
            "is_touched": None,
        }
        | values
    )


def card(rows: pd.DataFrame, of: Book, outcome: Outcome | None = CHURN) -> Scorecard:
    (found,) = scorecards(rows, [Watched("rule", "v1", FIRST, LAST, outcome)], of)
    return found


def test_a_firing_counts_when_its_window_is_over_and_is_followed_after_the_lead() -> None:
    leaves = [100, 100, 100, 100, None, None]
    found = card(
        fired(
            ("a0", 9, None),  # 91 days before: too early
            ("a1", 10, None),  # 90 days before
            ("a2", 85, None),  # 15 days before
            ("a3", 86, None),  # 14 days before: no lead
            ("a4", 274, None),  # the window ends on the last day that is known
            ("a5", 275, None),  # it does not
        ),
        book(leaves),
    )
    assert (found.fired, found.censored, found.counted, found.followed) == (6, 1, 5, 2)
    assert found.precision is not None
    assert found.precision.value == pytest.approx(2 / 5)
    assert found.precision.low == pytest.approx(0.1176, abs=1e-3)  # scipy.stats.binomtest(2, 5).proportion_ci("wilson")
    assert found.precision.high == pytest.approx(0.7693, abs=1e-3)
    assert found.outcomes == 4
    assert found.recall is not None
    assert found.recall.value == pytest.approx(2 / 4)
    assert found.median_lead_days == pytest.approx((90 + 15) / 2)


def test_what_held_when_the_rule_was_first_asked_is_not_counted() -> None:
    rows = fired(("a0", 50, None), ("a1", 50, None))
    rows["is_baseline"] = [True, False]
    found = card(rows, book([100, 100]))
    assert (found.fired, found.baseline, found.counted, found.followed) == (1, 1, 1, 1)


def test_an_account_whose_departure_is_undecided_is_censored() -> None:
    of = book([None, None])
    of.accounts.loc[1, "decided_until"] = day(120)
    found = card(fired(("a0", 50, None), ("a1", 50, None)), of)
    assert (found.counted, found.censored) == (1, 1)


def test_lead_time_counts_from_the_first_firing_and_reset_to_the_end_of_the_condition() -> None:
    found = card(fired(("a0", 20, 24), ("a0", 40, 50), ("a0", 60, None)), book([100, None]))
    assert found.median_lead_days == 80
    assert found.reset_days == 7


def test_recall_alone_is_what_no_other_rule_saw() -> None:
    rows = pd.concat(
        [fired(("a0", 50, None), ("a1", 50, None)), fired(("a1", 50, None), ("a2", 50, None), rule="other")]
    )
    watched = [Watched(name, "v1", FIRST, LAST, CHURN) for name in ("rule", "other")]
    found, _ = scorecards(rows, watched, book([100, 100, 100, 100]))
    assert found.recall is not None
    assert (found.recall.value, found.recall_alone) == (0.5, 0.25)


def test_outcomes_whose_window_was_not_watched_from_its_start_are_left_out() -> None:
    found = card(fired(), book([89, 90, 364]))
    assert found.outcomes == 2


def test_churn_or_contraction_takes_either_and_expansion_neither() -> None:
    more = [(1, "contraction", 100, True), (2, "expansion", 100, True)]
    rows = fired(*((f"a{number}", 60, None) for number in range(3)))
    either = card(rows, book([100, None, None], more), Outcome(event="churn_or_contraction", within_days=90))
    growth = card(rows, book([100, None, None], more), Outcome(event="expansion", within_days=90))
    assert (either.followed, growth.followed) == (2, 1)


def test_onboarding_is_compared_with_accounts_that_had_the_occasion() -> None:
    more = [(number, "onboarding_incomplete", 30, number < 5) for number in range(10)]
    rows = fired(*((f"a{number}", 10, None) for number in range(5)))
    found = card(rows, book([None] * 100, more), Outcome(event="onboarding_incomplete", within_days=30))
    assert found.base_rate == pytest.approx(0.5)
    assert found.lift is not None
    assert found.lift.value == pytest.approx(2)


def company(random: np.random.Generator, accounts: int = 600) -> list[int | None]:
    """A quarter leaves within the year."""
    days = random.integers(110, 360, accounts)
    return [int(each) if leaves else None for each, leaves in zip(days, random.random(accounts) < 0.25, strict=True)]


def test_a_rule_that_knows_is_kept_with_its_lead_time() -> None:
    random = np.random.default_rng(1)
    leaves = company(random)
    told = [(f"a{n}", left - 40, None) for n, left in enumerate(leaves) if left is not None and random.random() < 0.7]
    noise = [(f"a{n}", int(random.integers(0, 250)), None) for n in random.choice(600, 60, replace=False)]
    found = card(fired(*told, *noise), book(leaves))
    assert found.verdict == "keep"
    assert found.lift is not None
    assert found.lift.low > 2
    assert found.median_lead_days == pytest.approx(40, abs=2)
    assert found.recall is not None
    assert found.recall.value == pytest.approx(0.7, abs=0.1)


def test_noise_is_louder_than_useful_also_when_it_is_loud() -> None:
    random = np.random.default_rng(2)
    leaves = company(random)
    days = random.integers(0, 270, 3_000)
    account = random.integers(0, 600, 3_000)
    there = [(n, on) for n, on in zip(account, days, strict=True) if leaves[n] is None or on < leaves[n]]
    found = card(fired(*((f"a{n}", int(on), None) for n, on in there)), book(leaves))
    assert found.lift is not None
    assert found.lift.value == pytest.approx(1, abs=0.15)
    assert found.verdict == "louder than useful"


def test_few_accounts_that_fire_often_are_too_few_to_tell() -> None:
    leaves = [None, *[100] * 9, *[None] * 90]
    often = fired(*((f"a{n}", 40 + 5 * nth, None) for n in range(1, 10) for nth in range(5)))
    assert card(often, book(leaves)).counted == 45
    assert card(often, book(leaves)).verdict == "too few to tell"


def test_a_rule_that_never_preceded_an_outcome_is_told_so_and_one_without_outcome_is_not_judged() -> None:
    rows = fired(*((f"a{n}", 40, None) for n in range(50)))
    of = book([None] * 50 + [100] * 10)
    assert card(rows, of).verdict == "never preceded an outcome"
    assert card(rows, of, None).verdict == "not held against an outcome"
    assert card(rows.assign(account_id=""), of).verdict == "not held against an outcome"


def test_nineteen_firings_are_too_few_and_twenty_are_not() -> None:
    of = book([100] * 10 + [None] * 90)
    rows = fired(*((f"a{n}", 40, None) for n in range(20)))
    assert card(rows.head(19), of).verdict == "too few to tell"
    assert card(rows, of).verdict == "keep"


def test_what_people_did_is_a_share_of_what_is_known() -> None:
    rows = fired(*((f"a{n}", 40, None) for n in range(4))).assign(
        hours_to_acknowledge=[1.0, 3.0, np.nan, np.nan],
        is_put_off=[True, False, False, False],
        is_touched=pd.Series([True, False, None, None], dtype=object),
    )
    found = card(rows, book([None] * 4))
    assert (found.hours_to_acknowledge, found.put_off, found.touched) == (2.0, 0.25, 0.5)


def test_an_empty_history_is_too_few_and_an_empty_book_too() -> None:
    nothing = card(fired(), book([None]))
    assert (nothing.verdict, nothing.precision, nothing.lift, nothing.recall) == ("too few to tell", None, None, None)
    assert card(fired(("gone", 40, None)), book([])).verdict == "too few to tell"


def test_the_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(4)
    leaves = company(random)
    rows = fired(*((f"a{n}", int(random.integers(0, 250)), None) for n in random.integers(0, 600, 200)))
    one, other = card(rows, book(leaves)), card(rows.sample(frac=1, random_state=1), book(leaves))
    assert replace(one, lift=None) == replace(other, lift=None)
    assert one.lift is not None
    assert other.lift is not None
    assert one.lift.low == pytest.approx(other.lift.low)
