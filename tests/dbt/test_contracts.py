"""Terms and renewals as docs/contracts.md tells them, case by case: terms, weeks and movements say the same.

Every case is an account of its own, and all of them are built at once.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.renewals.windows import windows_of
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.parsed_project import ParsedProject
from tests.conftest import CopyDatabase
from tests.dbt.conftest import LATER, DbtWarehouse, accounts

PRESENT = "2025-04-07T07:00:00Z"
FIRST, LAST = date(2023, 12, 25), date(2025, 3, 31)
COLUMNS = ["account_id", "subscription_id", "product", "mrr", "started_on", "ended_on", "renews_on"]

# What every period says beside what is told here: 1 seat, signed by hand, neither trial nor add-on.
PERIODS = """
    never held         | a | core  |  500 | 2024-03-06 | 2024-03-06 | 2025-03-06
    never held beside  | a | core  |  100 | 2024-01-01 |            |
    never held beside  | b | core  |  500 | 2024-03-06 | 2024-03-06 |
    second site        | a | core  | 1000 | 2024-01-01 |            | 2025-01-01
    second site        | b | core  |  300 | 2024-12-01 |            | 2025-12-01
    second site late   | a | core  | 1000 | 2024-01-01 |            | 2025-01-01
    second site late   | b | core  |  300 | 2025-01-15 |            | 2026-01-15
    one site           | a | core  | 1000 | 2024-01-01 |            | 2025-01-01
    early overlap      | a |       |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    early overlap      | b |       |  120 | 2024-12-20 |            | 2026-01-01
    inclusive end      | a | core  |  100 | 2024-01-01 | 2024-06-30 |
    inclusive end      | b | core  |   30 | 2024-06-01 |            |
    inclusive end      | c | core  |  100 | 2024-07-01 |            |
    same size between  | a | core  |  100 | 2024-01-01 | 2024-06-30 |
    same size between  | b | core  |  100 | 2024-06-10 |            |
    same size between  | c | core  |  100 | 2024-07-01 |            |
    nobody ends it     | a |       |  100 | 2024-01-01 |            | 2025-01-01
    nobody ends it     | b |       |  110 | 2025-01-01 |            | 2026-01-01
    alike sites        | a | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    alike sites        | b | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    alike sites        | c | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    alike sites        | d | core  |  110 | 2025-01-01 |            | 2026-01-01
    alike sites        | e | core  |  110 | 2025-01-01 |            | 2026-01-01
    alike sites        | f | core  |  110 | 2025-01-01 |            | 2026-01-01
    large and small    | a | core  | 1000 | 2024-01-01 |            | 2025-01-01
    large and small    | b | core  |  300 | 2024-01-01 |            | 2025-01-01
    large and small    | c | core  |  310 | 2025-01-01 |            | 2026-01-01
    upgrade            | a | core  |  100 | 2024-01-01 | 2024-06-05 | 2025-01-01
    upgrade            | b | core  |  500 | 2024-06-05 |            | 2025-01-01
    upgrade            | c | core  |  550 | 2025-01-01 |            | 2026-01-01
    signed late        | a | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    signed late        | b | core  |   20 | 2025-01-21 |            | 2026-01-01
    came back          | a | core  |  100 | 2023-12-27 | 2024-03-01 | 2024-12-27
    came back          | b | core  |  100 | 2024-12-27 |            | 2025-12-27
    other product      | a | basic |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    other product      | b | pro   |  150 | 2025-01-01 |            | 2026-01-01
    one of two lapses  | a | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    one of two lapses  | b | mail  |   50 | 2024-01-01 |            | 2026-01-01
    one of two leaves  | a | core  |  100 | 2024-01-01 | 2024-06-05 | 2025-01-01
    one of two leaves  | b | mail  |   50 | 2024-01-01 |            | 2026-01-01
    for ever           | a |       |  100 | 2024-01-01 | 9999-12-31 | 9999-12-31
    for ever by 2099   | a |       |  100 | 2024-01-01 |            | 2099-12-31
    ends the day after | a |       |  100 | 2024-01-01 | 2024-12-31 | 2025-01-01
    ends the day after | b |       |  100 | 2025-01-01 |            | 2026-01-01
    stale at its start | a |       |  100 | 2024-01-01 |            | 2024-01-01
    monthly            | a | core  |  100 | 2024-01-01 | 2024-02-01 | 2024-02-01
    monthly            | b | core  |  100 | 2024-02-01 | 2024-03-01 | 2024-03-01
    monthly            | c | core  |  100 | 2024-03-01 | 2024-04-01 | 2024-04-01
    monthly            | d | core  |  100 | 2024-04-01 |            | 2024-05-01
    free at last       | a | core  |  100 | 2024-01-01 | 2025-01-01 | 2025-01-01
    free at last       | b | core  |    0 | 2025-01-01 |            |
    free, then second  | a | core  |    0 | 2024-01-01 |            | 2025-01-01
    free, then second  | b | core  |  100 | 2024-12-20 |            | 2025-12-20
"""


def period(account: str, subscription: str, mrr: float, started: str, **values: Any) -> dict[str, Any]:
    """A period told in full, for what the table above has no column for."""
    common = {"account_id": account, "subscription_id": f"{account}/{subscription}", "mrr": mrr, "started_on": started}
    return common | {"product": "core", "seats": 1} | values


AUTO = {"auto_renew": True}
OTHERS = [
    period("renews by itself", "a", 100, "2022-01-01", renews_on="2023-01-01", **AUTO),
    period("by itself last week", "a", 100, "2024-04-02", renews_on="2025-04-02", **AUTO),
    period("by itself monthly", "a", 100, "2024-01-31", renews_on="2024-02-29", **AUTO),
    period("by itself after three years", "a", 100, "2021-05-01", renews_on="2024-05-01", **AUTO),
    period("by itself upgraded", "a", 100, "2023-07-01", renews_on="2024-07-01", ended_on="2024-01-01", **AUTO),
    period("by itself upgraded", "b", 200, "2024-01-01", renews_on="2024-07-01", **AUTO),
    period("by itself, then anew", "a", 100, "2022-01-01", renews_on="2023-01-01", **AUTO),
    period("by itself, then anew", "b", 120, "2025-01-01", renews_on="2026-01-01", **AUTO),
    period("by itself to its end", "a", 100, "2022-01-01", renews_on="2023-01-01", ended_on="2024-12-02", **AUTO),
    period("leap day", "a", 100, "2024-02-29", renews_on="2025-02-28", **AUTO),
    period("trial", "a", 80, "2024-01-10", ended_on="2024-02-05", is_trial=True),
    period("trial", "b", 100, "2024-01-29", renews_on="2025-01-29"),
    period("trial beside", "a", 100, "2024-01-01", renews_on="2025-01-01"),
    period("trial beside", "b", 100, "2025-01-01", ended_on="2025-02-01", is_trial=True),
    period("add-on", "a", 100, "2024-01-01", ended_on="2024-12-31", renews_on="2025-01-01"),
    period("add-on", "b", 20, "2024-01-01", ended_on="2024-12-31", renews_on="2025-01-01", product="x", is_addon=True),
    period("add-on", "c", 100, "2025-01-01", renews_on="2026-01-01"),
    period("add-on", "d", 20, "2025-01-01", renews_on="2026-01-01", product="x", is_addon=True),
]


def told() -> list[dict[str, Any]]:
    """The rows of both tables above."""
    rows = [[cell.strip() or None for cell in line.split("|")] for line in PERIODS.strip().splitlines()]
    periods = [dict(zip(COLUMNS, row, strict=True)) | {"seats": 1} for row in rows]
    return [{**row, "subscription_id": f"{row['account_id']}/{row['subscription_id']}"} for row in periods] + OTHERS


@pytest.fixture(scope="module")
def cases(
    migrated: Warehouse, copy_once: CopyDatabase, dbt_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtWarehouse:
    """All cases, built over all weeks."""
    warehouse = copy_once(migrated)
    built = DbtWarehouse(warehouse, dbt_project, Path(tmp_path_factory.mktemp("contracts")))
    names = sorted({str(row["account_id"]) for row in told()})
    built.load("accounts", *accounts(*names, created_at="2021-01-01 00:00Z"))
    built.load("subscriptions", *told())
    built.build("--exclude", *LATER, present=PRESENT)
    built.build_weeks(str(FIRST), str(LAST))
    return built


def weeks(cases: DbtWarehouse, account: str, *columns: str) -> dict[date, Any]:
    """What the weeks of an account say, by Monday."""
    rows = cases.rows(f"select * from marts.fct_account_weeks where account_id = '{account}' order by week")
    return {row["week"]: tuple(row[name] for name in columns) if columns[1:] else row[columns[0]] for row in rows}


def movements(cases: DbtWarehouse, account: str) -> list[tuple[str, str, float]]:
    rows = cases.rows(f"select * from marts.fct_mrr_movements where account_id = '{account}' order by month")
    return [(str(row["month"])[:7], row["movement"], row["mrr_change"]) for row in rows]


def successors(cases: DbtWarehouse, account: str) -> dict[str, str | None]:
    rows = cases.rows(
        f"select right(subscription_id, 1) as term, right(successor_subscription_id, 1) as successor "
        f"from marts.fct_subscription_terms where account_id = '{account}' order by 1"
    )
    return {row["term"]: row["successor"] for row in rows}


def windows(cases: DbtWarehouse, account: str, term: str) -> list[str]:
    """The windows that a term entered in all weeks, in the order in which they opened."""
    every_week = [FIRST + timedelta(weeks=number) for number in range((LAST - FIRST).days // 7 + 1)]
    of_term = f"subscription_id = '{account}/{term}'"
    rows = cases.rows(f"select * from ({windows_of(every_week)}) as windows where {of_term} order by opens_on")
    return [row["renewal_window"] for row in rows]


def monday(day: str) -> date:
    return date.fromisoformat(day)


def test_a_period_that_ends_on_the_day_it_starts_never_held(cases: DbtWarehouse) -> None:
    never = weeks(cases, "never held", "mrr", "is_renewal_overdue", "days_to_renewal")
    assert set(never.values()) == {(0, False, None)}
    assert movements(cases, "never held") == []
    assert set(weeks(cases, "never held beside", "mrr").values()) == {0, 100}
    assert movements(cases, "never held beside") == [("2024-01", "new", 100)]


def test_a_second_contract_of_one_product_is_no_renewal_of_the_first(cases: DbtWarehouse) -> None:
    assert successors(cases, "second site") == {"a": None, "b": None}
    second = weeks(cases, "second site", "days_to_renewal", "is_renewal_overdue", "mrr")
    alone = weeks(cases, "one site", "days_to_renewal", "is_renewal_overdue")
    assert second[monday("2024-12-23")] == (2, False, 1300)
    assert second[monday("2025-01-06")] == (-12, True, 1300)
    assert {week: row[:2] for week, row in second.items()} == alone
    assert movements(cases, "second site") == [("2024-01", "new", 1000), ("2024-12", "expansion", 300)]
    assert successors(cases, "second site late") == {"a": None, "b": None}
    assert weeks(cases, "second site late", "days_to_renewal", "mrr")[monday("2025-01-20")] == (-26, 1300)


def test_a_renewal_that_begins_before_the_old_term_ends_counts_once(cases: DbtWarehouse) -> None:
    assert successors(cases, "early overlap") == {"a": "b", "b": None}
    assert movements(cases, "early overlap") == [("2024-01", "new", 100), ("2024-12", "expansion", 20)]
    mrr = weeks(cases, "early overlap", "mrr")
    assert set(mrr.values()) == {0, 100, 120}
    assert (mrr[monday("2024-12-09")], mrr[monday("2024-12-16")], mrr[monday("2024-12-30")]) == (100, 120, 120)


def test_an_inclusive_end_is_no_gap_also_beside_a_second_contract(cases: DbtWarehouse) -> None:
    assert successors(cases, "inclusive end") == {"a": "c", "b": None, "c": None}
    assert movements(cases, "inclusive end") == [("2024-01", "new", 100), ("2024-06", "expansion", 30)]
    mrr = weeks(cases, "inclusive end", "mrr")
    assert [mrr[monday(day)] for day in ("2024-05-27", "2024-06-24", "2024-07-01")] == [130, 130, 130]
    assert movements(cases, "ends the day after") == [("2024-01", "new", 100)]
    assert not any(weeks(cases, "ends the day after", "is_renewal_overdue").values())
    assert movements(cases, "add-on") == [("2024-01", "new", 120)]
    assert set(weeks(cases, "add-on", "mrr").values()) == {0, 120}


def test_the_nearest_follower_is_the_successor(cases: DbtWarehouse) -> None:
    assert successors(cases, "same size between") == {"a": "c", "b": None, "c": None}
    assert movements(cases, "same size between") == [("2024-01", "new", 100), ("2024-06", "expansion", 100)]


def test_a_renewal_ends_a_term_that_nobody_ended(cases: DbtWarehouse) -> None:
    assert successors(cases, "nobody ends it") == {"a": "b", "b": None}
    assert movements(cases, "nobody ends it") == [("2024-01", "new", 100), ("2025-01", "expansion", 10)]
    after = weeks(cases, "nobody ends it", "mrr", "days_to_renewal", "is_renewal_overdue")
    assert after[monday("2025-03-31")] == (110, 269, False)


def test_contracts_of_one_product_that_renew_together_are_paired_one_by_one(cases: DbtWarehouse) -> None:
    assert successors(cases, "alike sites") == {"a": "d", "b": "e", "c": "f", "d": None, "e": None, "f": None}
    assert movements(cases, "alike sites") == [("2024-01", "new", 300), ("2025-01", "expansion", 30)]
    assert successors(cases, "large and small") == {"a": None, "b": "c", "c": None}
    assert weeks(cases, "large and small", "mrr", "is_renewal_overdue")[LAST] == (1310, True)


def test_an_upgrade_in_mid_term_takes_the_place_of_what_it_replaces(cases: DbtWarehouse) -> None:
    assert successors(cases, "upgrade") == {"a": "b", "b": "c", "c": None}
    expected = [("2024-01", "new", 100), ("2024-06", "expansion", 400), ("2025-01", "expansion", 50)]
    assert movements(cases, "upgrade") == expected
    assert weeks(cases, "upgrade", "mrr", "days_to_renewal")[monday("2024-12-23")] == (500, 2)
    assert not any(weeks(cases, "upgrade", "is_renewal_overdue").values())


def test_a_renewal_signed_late_is_overdue_until_it_starts_and_no_churn(cases: DbtWarehouse) -> None:
    assert movements(cases, "signed late") == [("2024-01", "new", 100), ("2025-01", "contraction", -80)]
    seen = weeks(cases, "signed late", "mrr", "is_renewal_overdue")
    assert [seen[monday(f"2025-01-{day}")] for day in ("06", "13", "20")] == [(100, True), (100, True), (20, False)]


def test_who_comes_back_on_the_old_renewal_date_had_left(cases: DbtWarehouse) -> None:
    assert successors(cases, "came back") == {"a": None, "b": None}
    assert [kind for _, kind, _ in movements(cases, "came back")] == ["new", "churn", "reactivation"]


def test_a_move_to_another_product_is_no_renewal_and_counts_once(cases: DbtWarehouse) -> None:
    assert successors(cases, "other product") == {"a": None, "b": None}
    assert set(weeks(cases, "other product", "mrr").values()) == {0, 100, 150}
    assert not any(weeks(cases, "other product", "is_renewal_overdue").values())


def test_one_of_two_contracts_that_lapses_is_overdue_and_one_that_is_cancelled_is_not(cases: DbtWarehouse) -> None:
    lapses = weeks(cases, "one of two lapses", "mrr", "is_renewal_overdue")
    assert [lapses[monday(day)] for day in ("2024-12-30", "2025-01-20", "2025-01-27")] == [
        (150, True),
        (150, True),
        (50, False),
    ]
    leaves = weeks(cases, "one of two leaves", "mrr", "is_renewal_overdue")
    assert [leaves[monday(day)] for day in ("2024-05-27", "2024-06-03")] == [(150, False), (50, False)]


def test_for_ever_is_no_date(cases: DbtWarehouse) -> None:
    for account in ("for ever", "for ever by 2099", "stale at its start"):
        assert set(weeks(cases, account, "days_to_renewal").values()) == {None}, account
        assert not any(weeks(cases, account, "is_renewal_overdue").values()), account


@pytest.mark.parametrize(
    ("account", "days"),
    [
        ("renews by itself", (date(2026, 1, 1) - date(2025, 4, 7)).days),
        ("by itself last week", (date(2026, 4, 2) - date(2025, 4, 7)).days),
        ("by itself monthly", (date(2025, 4, 29) - date(2025, 4, 7)).days),
        ("by itself after three years", (date(2025, 5, 1) - date(2025, 4, 7)).days),
        ("by itself upgraded", (date(2025, 7, 1) - date(2025, 4, 7)).days),
        ("by itself, then anew", (date(2026, 1, 1) - date(2025, 4, 7)).days),
        ("leap day", (date(2026, 2, 28) - date(2025, 4, 7)).days),
    ],
)
def test_what_renews_by_itself_moves_to_its_next_anniversary(cases: DbtWarehouse, account: str, days: int) -> None:
    assert weeks(cases, account, "days_to_renewal")[LAST] == days
    assert not any(weeks(cases, account, "is_renewal_overdue").values())


def test_what_renews_by_itself_comes_nearer_week_by_week(cases: DbtWarehouse) -> None:
    days = weeks(cases, "renews by itself", "days_to_renewal")
    for week, left in days.items():
        year = (week + timedelta(days=6)).year + 1
        assert left == (date(year, 1, 1) - week - timedelta(days=7)).days, week
    assert movements(cases, "by itself, then anew") == [("2022-01", "new", 100), ("2025-01", "expansion", 20)]
    assert weeks(cases, "by itself to its end", "days_to_renewal")[monday("2024-11-18")] == 37


def test_a_trial_turns_into_what_is_paid_and_renews_nothing(cases: DbtWarehouse) -> None:
    assert successors(cases, "trial") == {"a": "b", "b": None}
    assert movements(cases, "trial") == [("2024-01", "new", 100)]
    trial = weeks(cases, "trial", "is_trial", "seats")
    assert (trial[monday("2024-01-22")], trial[monday("2024-01-29")]) == ((True, 1), (False, 1))
    assert successors(cases, "trial beside") == {"a": None, "b": None}
    assert weeks(cases, "trial beside", "mrr", "is_renewal_overdue")[monday("2025-01-06")] == (100, True)


def test_monthly_terms_are_a_chain(cases: DbtWarehouse) -> None:
    assert successors(cases, "monthly") == {"a": "b", "b": "c", "c": "d", "d": None}
    assert movements(cases, "monthly") == [("2024-01", "new", 100)]
    assert set(weeks(cases, "monthly", "mrr").values()) == {0, 100}


def test_free_terms_follow_and_are_followed(cases: DbtWarehouse) -> None:
    assert successors(cases, "free at last") == {"a": "b", "b": None}
    assert [kind for _, kind, _ in movements(cases, "free at last")] == ["new", "churn"]
    assert not any(weeks(cases, "free at last", "is_renewal_overdue").values())
    assert successors(cases, "free, then second") == {"a": None, "b": None}


ALL_WINDOWS = ["180", "90", "60", "30", "14", "7"]


@pytest.mark.parametrize(
    ("account", "term", "entered"),
    [
        ("one site", "a", [*ALL_WINDOWS, "overdue"]),
        ("second site", "a", [*ALL_WINDOWS, "overdue"]),
        ("early overlap", "a", ["180", "90", "60", "30", "14"]),  # the renewal had started before the last
        ("nobody ends it", "a", ALL_WINDOWS),
        ("signed late", "a", [*ALL_WINDOWS, "overdue"]),
        ("ends the day after", "a", ALL_WINDOWS),
        ("other product", "a", ALL_WINDOWS),
        ("one of two lapses", "a", [*ALL_WINDOWS, "overdue"]),
        ("one of two leaves", "a", []),
        ("upgrade", "a", []),
        ("upgrade", "b", ALL_WINDOWS),
        ("never held", "a", []),
        ("for ever", "a", []),
        ("stale at its start", "a", []),
        ("by itself last week", "a", ["180", "90", "60", "30", "14", "7"]),
        ("by itself upgraded", "b", [*ALL_WINDOWS[1:], "180", "90"]),  # the first would open when it was not known yet
        ("trial", "a", []),
        ("trial beside", "a", [*ALL_WINDOWS, "overdue"]),
        ("add-on", "b", []),
    ],
)
def test_a_term_enters_the_windows_of_what_it_is(
    cases: DbtWarehouse, account: str, term: str, entered: list[str]
) -> None:
    assert windows(cases, account, term) == entered


def test_an_account_today_pays_what_its_movements_come_to(cases: DbtWarehouse) -> None:
    contradictions = cases.rows(
        """
        select account_id, accounts.mrr, coalesce(sum(mrr_change), 0) as moved
        from marts.dim_accounts as accounts
        left join marts.fct_mrr_movements using (account_id)
        group by account_id, accounts.mrr
        having abs(accounts.mrr - coalesce(sum(mrr_change), 0)) > 1e-9
        """
    )
    assert contradictions == []
