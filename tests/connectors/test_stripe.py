"""Stripe: contracts as they were, from what was billed; invoices, credit notes and cancellations."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from tests.connectors.conftest import Mapped

CUSTOMER = """
id,name,email,created,metadata,livemode,is_deleted
cus_1,Acme,ann@acme.example,2024-01-01 09:00:00,"{""account_id"": ""acme""}",true,false
cus_2,Bolt,bob@bolt.example,2024-01-01 09:00:00,{},true,false
"""
PRICE = """
id,unit_amount,currency,product_id,nickname,recurring_interval,recurring_interval_count,recurring_usage_type
month,1000,usd,prod,Seat,month,1,licensed
year,12000,usd,prod,Seat a year,year,1,licensed
yen,1500,jpy,prod,Seat,month,1,licensed
"""
PRODUCT = "id,name\nprod,Suite\n"
LINE = (
    "id,invoice_id,subscription_id,subscription_item_id,price_id,quantity,amount,currency,period_start,period_end,"
    "proration,type\n"
)
SUBSCRIPTION = (
    "id,customer_id,status,trial_start,trial_end,current_period_start,current_period_end,cancel_at,"
    "cancel_at_period_end,canceled_at,ended_at,pause_collection_behavior,_fivetran_active,_fivetran_start\n"
)
ITEM = "id,subscription_id,price_id,quantity,current_period_start,current_period_end\n"
INVOICE = "id,customer_id,currency,status,created,due_date,amount_due,status_transitions_paid_at,paid,livemode\n"
LIVE = "2024-04-01,2024-05-01"


def line(
    start: str, end: str, quantity: int, amount: int, *, invoice: str = "paid", price: str = "month", also: str = ""
) -> str:
    """A line of an item's invoice, made unique by its first day."""
    currency = "jpy" if price == "yen" else "usd"
    kind = also or "false,subscription"
    what = f"{price},{quantity},{amount},{currency},{start},{end},{kind}"
    return f"l-{start}-{quantity}-{amount},in_{invoice},sub,item,{what}\n"


def stripe(
    lines: str, *, item: str = f"item,sub,month,5,{LIVE}", subscription: str = f"active,,,{LIVE},,false,,,"
) -> dict[str, str]:
    """The tables of one subscription. `subscription`: from its status on."""
    return {
        "customer": CUSTOMER,
        "price": PRICE,
        "product": PRODUCT,
        "invoice_line_item": LINE + lines,
        "subscription_history": f"{SUBSCRIPTION}sub,cus_1,{subscription},true,2024-04-11\n",
        "subscription_item": f"{ITEM}{item}\n" if item else ITEM,
        "invoice": INVOICE + "".join(f"in_{state},cus_1,usd,{state},2024-01-01,,0,,,true\n" for state in STATES),
    }


STATES = ("paid", "open", "void", "draft")
MONTHS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01")
BILLED = "".join(line(start, end, 5, 5000) for start, end in pairwise(MONTHS))


def day(text: str) -> date:
    return date.fromisoformat(text)


def periods(found: dict[str, list[dict[str, Any]]]) -> list[tuple[object, ...]]:
    """Seats, MRR, first day and end of every period that held, in order."""
    rows = sorted(found["subscriptions"], key=lambda row: (row["started_on"], row["subscription_id"]))
    return [
        (int(float(row["seats"])), float(row["mrr"]), f"{row['started_on']}", row["ended_on"] and f"{row['ended_on']}")
        for row in rows
        if row["started_on"] != row["ended_on"]
    ]


def test_equal_months_are_one_period_which_runs_on_and_renews_by_itself(mapped: Mapped) -> None:
    found = mapped("stripe", stripe(BILLED))
    assert periods(found) == [(5, 50.0, "2024-01-01", None)]
    (row,) = found["subscriptions"]
    assert (row["account_id"], row["product"], row["plan"], row["billing_months"]) == ("acme", "Suite", "Seat", 1)
    assert (row["renews_on"], row["auto_renew"], row["is_trial"]) == (None, True, False)


def test_a_quantity_that_changed_in_mid_month_counts_from_the_day_that_the_proration_names(mapped: Mapped) -> None:
    changed = (
        line("2024-03-11", "2024-04-01", 5, -3400, also="true,invoiceitem")
        + line("2024-03-11", "2024-04-01", 8, 5400, also="true,invoiceitem")
        + line("2024-04-01", "2024-05-01", 8, 8000)
    )
    before = "".join(line(start, end, 5, 5000) for start, end in pairwise(MONTHS[:4]))
    found = mapped("stripe", stripe(before + changed, item=f"item,sub,month,8,{LIVE}"))
    assert periods(found) == [(5, 50.0, "2024-01-01", "2024-03-11"), (8, 80.0, "2024-03-11", None)]


def test_a_change_that_is_not_billed_yet_counts_from_the_version_that_has_it_under_the_key_it_keeps(
    mapped: Mapped,
) -> None:
    found = mapped("stripe", stripe(BILLED, item=f"item,sub,month,9,{LIVE}"))
    assert periods(found) == [(5, 50.0, "2024-01-01", "2024-04-11"), (9, 90.0, "2024-04-11", None)]
    assert [row["subscription_id"] for row in found["subscriptions"]] == ["item/1", "item/5"]


def test_a_trial_is_a_period_of_its_own_and_brings_nothing(mapped: Mapped) -> None:
    lines = line("2024-01-01", "2024-01-15", 5, 0) + line("2024-01-15", "2024-02-15", 5, 5000)
    running = "active,2024-01-01,2024-01-15,2024-01-15,2024-02-15,,false,,,"
    found = mapped("stripe", stripe(lines, item="item,sub,month,5,2024-01-15,2024-02-15", subscription=running))
    assert periods(found) == [(5, 0.0, "2024-01-01", "2024-01-15"), (5, 50.0, "2024-01-15", None)]
    assert [row["is_trial"] for row in found["subscriptions"]] == [True, False]


def test_a_pause_is_a_gap_whose_voided_invoices_never_held(mapped: Mapped) -> None:
    lines = (
        line("2024-01-01", "2024-02-01", 5, 5000)
        + line("2024-02-01", "2024-03-01", 5, 5000, invoice="void")
        + line("2024-03-01", "2024-04-01", 5, 5000, invoice="draft")
        + line("2024-04-01", "2024-05-01", 5, 5000)
    )
    assert periods(mapped("stripe", stripe(lines))) == [
        (5, 50.0, "2024-01-01", "2024-02-01"),
        (5, 50.0, "2024-04-01", None),
    ]


def test_a_subscription_that_is_paused_now_ends_with_what_was_paid(mapped: Mapped) -> None:
    paused = f"active,,,{LIVE},,false,,,void"
    lines = line("2024-01-01", "2024-02-01", 5, 5000)
    assert periods(mapped("stripe", stripe(lines, subscription=paused))) == [(5, 50.0, "2024-01-01", "2024-02-01")]


@pytest.mark.parametrize(
    ("subscription", "ends"),
    [
        (f"active,,,{LIVE},,true,2024-04-05,,", "2024-05-01"),  # at the end of the period
        (f"active,,,{LIVE},,false,,,", None),  # withdrawn
        (f"active,,,{LIVE},2024-06-15,false,2024-04-05,,", "2024-06-15"),  # at a day
        (f"canceled,,,{LIVE},,false,2024-04-05,2024-04-05,", "2024-04-05"),  # at once
    ],
)
def test_an_end_is_known_once_it_is_said_and_no_more_when_it_is_taken_back(
    mapped: Mapped, subscription: str, ends: str | None
) -> None:
    found = mapped("stripe", stripe(BILLED, subscription=subscription))
    assert periods(found) == [(5, 50.0, "2024-01-01", ends)]
    assert found["subscriptions"][0]["auto_renew"] is (",true," not in subscription)


def test_an_item_that_was_taken_out_ends_on_the_day_of_its_credit(mapped: Mapped) -> None:
    lines = BILLED + line("2024-04-10", "2024-05-01", 5, -3500, also="true,invoiceitem")
    assert periods(mapped("stripe", stripe(lines, item=""))) == [(5, 50.0, "2024-01-01", "2024-04-10")]


def test_years_are_a_term_each_which_renews_on_its_last_day(mapped: Mapped) -> None:
    lines = "".join(line(f"{year}-01-01", f"{year + 1}-01-01", 5, 60000, price="year") for year in (2022, 2023, 2024))
    found = mapped(
        "stripe",
        stripe(
            lines,
            item="item,sub,year,5,2024-01-01,2025-01-01",
            subscription="active,,,2024-01-01,2025-01-01,,false,,,",
        ),
    )
    assert periods(found) == [
        (5, 50.0, "2022-01-01", "2023-01-01"),
        (5, 50.0, "2023-01-01", "2024-01-01"),
        (5, 50.0, "2024-01-01", None),
    ]
    assert [f"{row['renews_on']}" for row in found["subscriptions"]] == ["2023-01-01", "2024-01-01", "2025-01-01"]


def test_amounts_of_several_currencies_need_rates_and_yen_have_no_cents(
    mapped: Mapped, folder: Any, warehouse: Any
) -> None:
    from cs_pipeline.connectors.connect import connect
    from tests.connectors.conftest import rows_of_mappings

    lines = line("2024-04-01", "2024-05-01", 4, 6000, price="yen")
    found = mapped("stripe", stripe(lines, item=f"item,sub,yen,4,{LIVE}"))
    assert [row["mrr"] for row in found["subscriptions"]] == ["no rate for jpy"]
    connectors = folder / "connectors.yaml"
    connectors.write_text(connectors.read_text().replace("# jpy: ", "jpy: 0.01"))
    connect(warehouse, "stripe", "", "stripe", folder)
    assert [row["mrr"] for row in rows_of_mappings(warehouse, folder)["subscriptions"]] == ["60"]


def test_lines_that_are_no_subscription_and_those_of_drafts_are_no_periods(mapped: Mapped) -> None:
    lines = BILLED + line("2024-02-10", "2024-02-10", 1, 99, also="false,invoiceitem")
    assert periods(mapped("stripe", stripe(lines))) == [(5, 50.0, "2024-01-01", None)]


def test_invoices_are_due_when_issued_unless_said_and_credit_notes_are_negative(mapped: Mapped) -> None:
    files = stripe("") | {
        "invoice": INVOICE + "in_1,cus_1,usd,paid,2024-01-01 10:00:00,2024-01-31,5000,2024-01-20 08:00:00,true,true\n"
        "in_2,cus_2,jpy,open,2024-02-01 10:00:00,,5000,,false,true\n"
        "in_3,cus_1,usd,void,2024-02-01 10:00:00,,5000,,false,true\n"
        "in_4,cus_1,usd,draft,2024-02-01 10:00:00,,5000,,false,true\n"
        "in_5,cus_1,usd,open,2024-02-01 10:00:00,,5000,,false,false\n",
        "credit_note": "id,invoice_id,currency,created,status,type,total,livemode\n"
        "cn_1,in_1,usd,2024-02-02,issued,post_payment,1000,true\ncn_2,in_1,usd,2024-02-03,issued,pre_payment,700,true\n",
        "price": PRICE.replace("yen,1500,jpy", "yen,1500,usd"),
    }
    rows = {row["invoice_id"]: row for row in mapped("stripe", files)["invoices"]}
    assert {key: row["amount"] for key, row in rows.items()} == {
        "in_1": 50.0, "in_2": 5000.0, "in_3": 0.0, "cn_1": -10.0, "cn_2": -7.0,
    }  # fmt: skip
    assert {key: f"{row['due_on']}" for key, row in rows.items()} | {"in_1": "", "cn_1": "", "cn_2": ""} == {
        "in_1": "", "in_2": "2024-02-01", "in_3": "2024-02-01", "cn_1": "", "cn_2": "",
    }  # fmt: skip
    assert rows["in_1"]["due_on"] == day("2024-01-31")
    assert {key for key, row in rows.items() if row["paid_at"] is None} == {"in_2", "in_3", "cn_2"}
    assert (rows["in_2"]["account_id"], rows["in_2"]["_email"]) == ("cus_2", "bob@bolt.example")


def test_a_cancellation_begins_when_it_is_said_and_is_withdrawn_by_a_version_without_it(mapped: Mapped) -> None:
    versions = (
        f"{SUBSCRIPTION}sub,cus_1,active,,,{LIVE},,false,,,,false,2024-01-01\n"
        f"sub,cus_1,active,,,{LIVE},,true,2024-02-10 12:00:00,,,false,2024-02-10 12:00:05\n"
        f"sub,cus_1,active,,,{LIVE},,false,,,,false,2024-02-20 08:00:00\n"
        f"sub,cus_1,active,,,{LIVE},,true,2024-04-11 09:00:00,,,true,2024-04-11 09:00:05\n"
    )
    rows = mapped("stripe", stripe(BILLED) | {"subscription_history": versions})["cancellation_requests"]
    assert [
        (
            row["request_id"],
            f"{row['requested_at']:%m-%d %H:%M}",
            row["withdrawn_at"] and f"{row['withdrawn_at']:%m-%d}",
        )
        for row in rows
    ] == [("sub/1", "02-10 12:00", "02-20"), ("sub/2", "04-11 09:00", None)]


@pytest.mark.parametrize(
    ("second", "left"),
    [("canceled,,,2024-04-01,2024-05-01,,false,,2024-06-01,", "06-01"), (f"active,,,{LIVE},,false,,,", None)],
)
def test_a_customer_has_left_when_the_last_subscription_has_ended(
    mapped: Mapped, second: str, left: str | None
) -> None:
    files = stripe(BILLED, subscription=f"canceled,,,{LIVE},,false,2024-04-05,2024-04-05,")
    files["subscription_history"] += f"sub_2,cus_1,{second},true,2024-04-11\n"
    accounts = {row["account_id"]: row["churned_at"] for row in mapped("stripe", files)["accounts"]}
    assert {key: value and f"{value:%m-%d}" for key, value in accounts.items()} == {"acme": left, "cus_2": None}
