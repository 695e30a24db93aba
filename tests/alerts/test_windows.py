"""Windows after firings: the fast arithmetic against one account and one day at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.alerts.windows import (
    Days,
    Stretches,
    are_followed,
    days_from_first_firing,
    lift,
    stretches_before,
)

PLACES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60)), max_size=12)
WINDOWS = st.tuples(st.integers(0, 9), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def days(places: list[tuple[int, int]]) -> Days:
    return Days.of(np.array([a for a, _ in places], np.int64), np.array([d for _, d in places], np.int64))


def pairs(of: Days) -> list[tuple[int, int]]:
    return list(zip(of.account.tolist(), of.day.tolist(), strict=True))


@given(PLACES, PLACES, WINDOWS)
def test_a_firing_is_followed_by_what_happens_after_its_lead_and_within_its_days(
    fired: list[tuple[int, int]], happened: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    lead, within = window
    firings, happenings = days(fired), days(happened)
    expected = [any(a == other and t + lead < d <= t + within for other, d in happened) for a, t in pairs(firings)]
    assert are_followed(firings, happenings, lead, within).tolist() == expected


@given(PLACES, PLACES, WINDOWS)
def test_lead_time_is_counted_from_the_first_firing_in_whose_window_it_stands(
    fired: list[tuple[int, int]], happened: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    lead, within = window
    firings, happenings = days(fired), days(happened)
    expected = [
        max((d - t for other, t in fired if other == a and t + lead < d <= t + within), default=-1)
        for a, d in pairs(happenings)
    ]
    assert days_from_first_firing(firings, happenings, lead, within).tolist() == expected


@given(PLACES, WINDOWS)
def test_days_in_several_windows_of_an_account_count_once(
    happened: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    lead, within = window
    found = stretches_before(days(happened), lead, within)
    covered = [
        (account, day)
        for account, first, last in zip(found.account, found.first, found.last, strict=True)
        for day in range(first, last + 1)
    ]
    expected = {(a, t) for a, d in happened for t in range(d - within, d - lead)}
    assert sorted(covered) == sorted(expected)


def test_a_lift_is_the_share_of_firings_over_the_share_of_the_book_on_their_days() -> None:
    book = Stretches(np.arange(4), np.zeros(4, np.int64), np.array([10, 10, 10, 4]))
    happened = days([(0, 8), (1, 5)])
    followed_book = stretches_before(happened, 0, 3).within(book)
    firings = days([(0, 6), (2, 6), (1, 3), (3, 3)])
    followed = are_followed(firings, happened, 0, 3)
    found = lift(firings, followed, book, followed_book)
    # On day 6 one of three is followed, on day 3 one of four.
    assert found.base_rate == pytest.approx((2 * 1 / 3 + 2 * 1 / 4) / 4)
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx((2 / 4) / found.base_rate)


def noise(random: np.random.Generator, accounts: int, repeats: int) -> tuple[Days, np.ndarray, Stretches, Stretches]:
    """A company that loses an account in three, and firings that know nothing, several in a row on each account."""
    leaves = np.where(random.random(accounts) < 0.3, random.integers(100, 360, accounts), 9999)
    book = Stretches(np.arange(accounts), np.zeros(accounts, np.int64), np.minimum(leaves - 1, 364 - 90))
    leavers = np.flatnonzero(leaves < 9999)
    happened = Days.of(leavers, leaves[leavers])
    chosen = random.choice(accounts, accounts // 4, replace=False)
    account = np.repeat(chosen, repeats)
    day = np.repeat(random.integers(0, 250, len(chosen)), repeats) + np.tile(np.arange(repeats), len(chosen))
    there = day <= book.last[account]
    firings = Days.of(account[there], day[there])
    followed = are_followed(firings, happened, 0, 90)
    return firings, followed, book, stretches_before(happened, 0, 90).within(book)


@pytest.mark.parametrize("repeats", [1, 8])
def test_the_interval_of_noise_leaves_out_1_about_one_time_in_twenty_also_where_accounts_fire_often(
    repeats: int,
) -> None:
    random = np.random.default_rng(3)
    found = [lift(*noise(random, 400, repeats)).ratio for _ in range(400)]
    missed = np.mean([ratio is None or not ratio.low <= 1 <= ratio.high for ratio in found])
    assert 0.02 <= missed <= 0.09
