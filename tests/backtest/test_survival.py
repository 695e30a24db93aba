"""What a band is worth: shares kept, of accounts that could be followed for different times."""

from datetime import timedelta

import numpy as np
import pytest

from cs_pipeline.backtest.measures import Interval, TooLittle
from cs_pipeline.backtest.survival import kept_after, retention
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.observed_marts import add_account

LAST = 59


def test_an_account_that_was_followed_for_a_while_counts_for_that_while() -> None:
    # Of 40 that were there 10 left on day 20; of the 15 that could still be seen on day 60, 3 left: 3/4 × 4/5.
    days = np.repeat([20.0, 40.0, 60.0, 90.0], [10, 15, 3, 12])
    has_left = np.repeat([True, False, True, False], [10, 15, 3, 12])
    at_30, at_70 = kept_after(days, has_left, 30), kept_after(days, has_left, 70)
    assert isinstance(at_30, Interval)
    assert isinstance(at_70, Interval)
    assert at_30.value == pytest.approx(0.75)
    assert at_70.value == pytest.approx(0.6)
    assert 0 < at_70.low < 0.6 < at_70.high < 1
    assert isinstance(kept_after(days[:15], has_left[:15], 365), TooLittle)


def test_where_nobody_left_the_share_is_whole_and_its_interval_says_of_how_many() -> None:
    few = kept_after(np.full(20, 100.0), np.zeros(20, bool), 90)
    many = kept_after(np.full(2000, 100.0), np.zeros(2000, bool), 90)
    assert isinstance(few, Interval)
    assert isinstance(many, Interval)
    assert few.value == many.value == 1
    assert few.low == pytest.approx(0.86, abs=0.01)
    assert many.low > 0.99


@pytest.fixture
def book(marts: Warehouse) -> Warehouse:
    for number in range(25):
        add_account(marts, f"green {number}", weeks=range(LAST + 1))
    for number in range(30):
        leaves_on = week(33) + timedelta(days=number % 7) if number < 15 else None
        add_account(marts, f"red {number}", weeks=range(34 if leaves_on else LAST + 1), leaves_on=leaves_on)
    with marts.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.health_scores (
                week, account_id, model, model_version, is_active, status, score, band, severity, coverage,
                metric_values, points, contributions, points_lost_to_cap
            )
            select
                week, account_id, 'm', 'v', true, 'scored', 50,
                case when account_id like 'green%%' then 'Green' else 'Red' end,
                case when account_id like 'green%%' then 0 else 3 end, 1, '{}', '{}', '{}', 0
            from marts.fct_account_weeks
            """
        )
    return marts


def test_bands_are_followed_from_the_end_of_a_week(book: Warehouse) -> None:
    green, red = retention(book, "band", week(30))
    assert (green.group, green.accounts, green.left) == ("Green", 25, 0)
    assert (red.group, red.accounts, red.left) == ("Red", 30, 15)
    share = red.kept[30]
    assert isinstance(share, Interval)
    assert share.value == pytest.approx(0.5)
    assert isinstance(red.kept[365], TooLittle)
    (everybody,) = retention(book, "tier", week(30))
    assert (everybody.group, everybody.accounts) == ("none", 55)


def test_a_week_without_scores_is_refused(book: Warehouse) -> None:
    with pytest.raises(UserError, match="No account had a score in the week"):
        retention(book, "band", week(300))
    with pytest.raises(UserError, match="is a Tuesday"):
        retention(book, "band", week(30) + timedelta(days=1))
