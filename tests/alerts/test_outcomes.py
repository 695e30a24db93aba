"""What became of accounts: departures, changes of MRR, onboarding and renewals, read from marts of a test's own."""

from datetime import date

import pytest

from cs_pipeline.alerts.outcomes import Book, read_book
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import insert

UNTIL = date(2024, 12, 30)


@pytest.fixture
def warehouse_with_marts(marts: Warehouse) -> Warehouse:
    """Empty marts that reach until UNTIL."""
    execute(
        marts,
        """
        create schema staging;
        create table staging.stg_onboarding_progress (account_id text, step text, completed_at timestamptz);
        alter table marts.dim_accounts add created_at timestamptz
        """,
    )
    insert(marts, "fct_account_weeks", [{"account_id": "nobody", "week": date(2024, 12, 23)}])
    return marts


def execute(warehouse: Warehouse, sql: str) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)


def account(warehouse: Warehouse, name: str, created: str = "2023-01-01", churned: str | None = None) -> None:
    row = {"account_id": name, "account_name": name, "created_at": created, "churned_at": churned}
    insert(warehouse, "dim_accounts", [row])


def term(
    warehouse: Warehouse,
    account_id: str,
    mrr: float,
    started_on: str,
    ended_on: str | None = None,
    successor: str | None = None,
    **values: object,
) -> None:
    row: dict[str, object] = {
        "subscription_id": f"{account_id}:{started_on}:{mrr}",
        "account_id": account_id,
        "mrr": mrr,
        "started_on": started_on,
        "ended_on": ended_on,
        "successor_started_on": successor,
        "held_until": successor or ended_on,
        "renews_on": None,
        "renewal_type": "manual",
        "is_trial": False,
        "is_addon": False,
    }
    insert(warehouse, "fct_subscription_terms", [row | values])


def happened(book: Book, account_id: str) -> list[tuple[str, str, bool]]:
    rows = book.happenings[book.happenings["account_id"] == account_id]
    return [
        (str(event), f"{happens_on:%Y-%m-%d}", bool(happened))
        for event, happens_on, happened in zip(rows["event"], rows["happens_on"], rows["happened"], strict=True)
    ]


def test_mrr_that_falls_or_rises_and_stays_above_zero_is_contraction_or_expansion(
    warehouse_with_marts: Warehouse,
) -> None:
    marts = warehouse_with_marts
    account(marts, "moves")
    term(marts, "moves", 100, "2023-01-01", "2024-03-01", "2024-03-01")
    term(marts, "moves", 60, "2024-03-01", "2024-06-01", "2024-06-10")  # signed late: no gap
    term(marts, "moves", 90, "2024-06-10")
    account(marts, "same")
    term(marts, "same", 100, "2023-01-01", "2024-03-01", "2024-03-01")
    term(marts, "same", 100, "2024-03-01")
    account(marts, "new")
    term(marts, "new", 0, "2024-01-01", "2024-01-15", "2024-01-15", is_trial=True)
    term(marts, "new", 50, "2024-01-15")
    book = read_book(marts)
    assert happened(book, "moves") == [("contraction", "2024-03-01", True), ("expansion", "2024-06-10", True)]
    assert happened(book, "same") == happened(book, "new") == []


def test_a_departure_is_churn_and_no_contraction_and_a_lapse_is_decided_after_30_days(
    warehouse_with_marts: Warehouse,
) -> None:
    marts = warehouse_with_marts
    account(marts, "told", churned="2024-05-05 12:00Z")
    term(marts, "told", 100, "2023-01-01")
    account(marts, "lapsed")
    term(marts, "lapsed", 100, "2023-01-01", "2024-11-30")
    account(marts, "undecided")
    term(marts, "undecided", 100, "2023-01-01", "2024-12-10")
    book = read_book(marts)
    assert happened(book, "told") == [("churn", "2024-05-05", True)]
    assert happened(book, "lapsed") == [("churn", "2024-11-30", True)]
    assert happened(book, "undecided") == []
    decided = book.accounts.set_index("account_id")["decided_until"].dt.date.to_dict()
    assert decided == {"told": UNTIL, "lapsed": UNTIL, "undecided": date(2024, 12, 10)}
    assert book.known_until == UNTIL


def test_onboarding_is_incomplete_when_a_step_is_open_30_days_after_signup(warehouse_with_marts: Warehouse) -> None:
    marts = warehouse_with_marts
    for name in ("done", "late", "open", "without_steps"):
        account(marts, name, created="2024-03-01 10:00Z")
    account(marts, "young", created="2024-12-15")
    execute(
        marts,
        """
        insert into staging.stg_onboarding_progress values
        ('done', 'one', '2024-03-02'), ('done', 'two', '2024-03-31 23:59Z'), ('late', 'one', '2024-04-01 00:00Z'),
        ('open', 'one', '2024-03-02'), ('open', 'two', null), ('young', 'one', null)
        """,
    )
    book = read_book(marts)
    expected = {"done": False, "late": True, "open": True}
    assert {name: happened(book, name) for name in expected} == {
        name: [("onboarding_incomplete", "2024-03-31", missed)] for name, missed in expected.items()
    }
    assert happened(book, "without_steps") == happened(book, "young") == []


def test_a_renewal_has_happened_where_a_successor_started_near_it_or_the_term_went_on_by_itself(
    warehouse_with_marts: Warehouse,
) -> None:
    marts = warehouse_with_marts
    for name in ("signed", "not_signed", "by_itself", "waiting"):
        account(marts, name)
    term(marts, "signed", 100, "2023-03-01", "2024-03-01", "2024-03-20", renews_on="2024-03-01")
    term(marts, "signed", 100, "2024-03-20")
    term(marts, "not_signed", 100, "2023-03-01", "2024-03-01", renews_on="2024-03-01")
    term(marts, "by_itself", 100, "2023-03-01", renews_on="2024-03-01", renewal_type="auto")
    term(marts, "waiting", 100, "2023-12-15", "2024-12-15", renews_on="2024-12-15")
    book = read_book(marts)
    assert ("renewal", "2024-03-01", True) in happened(book, "signed")
    assert ("renewal", "2024-03-01", False) in happened(book, "not_signed")
    assert happened(book, "by_itself") == [("renewal", "2024-03-01", True)]
    assert happened(book, "waiting") == []


def test_marts_without_a_week_are_one_clear_sentence(marts: Warehouse) -> None:
    execute(
        marts,
        "create schema staging; "
        "create table staging.stg_onboarding_progress (account_id text, step text, completed_at timestamptz); "
        "alter table marts.dim_accounts add created_at timestamptz",
    )
    with pytest.raises(UserError, match="hold no week yet"):
        read_book(marts)
