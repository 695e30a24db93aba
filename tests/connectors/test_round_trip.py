"""Round trip: the sample company as Stripe, Zendesk and Segment would hold it, connected, mapped and scored again.

What these tools keep comes back as it was, and so do the scores; what they lose is stated here,
and no other column differs.
"""

from pathlib import Path

import pytest

from cs_pipeline.connectors.connect import connect
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.warehouse.spread import places_of
from tests.builders.sample_history import COMPANY, SCORED_UNTIL, WEEK, History
from tests.conftest import CopyDatabase

SHAPES = Path(__file__).parents[1] / "builders" / "vendor_shapes"
VENDORS = {"stripe": "fivetran", "zendesk": "fivetran", "segment": "segment"}
BY_VENDORS = ("subscriptions", "invoices", "cancellation_requests", "tickets", "events")
"""Canonical tables that come from the vendors; the others pass through, and lead accounts and users."""
AGAIN = SCORED_UNTIL - WEEK

pytestmark = pytest.mark.slow(seconds=25)


@pytest.fixture(scope="module")
def round_trip(
    history_template: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory
) -> History:
    """The scored sample company, whose source tables went through the vendors' shapes and came back."""
    history = History(copy_once(history_template), tmp_path_factory.mktemp("round_trip") / "home")
    folder = tmp_path_factory.mktemp("mapping")
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create schema original")
        cursor.execute(
            "select relname, (pg_partition_root(oid))::regclass::text from pg_class "
            "where relnamespace = 'raw'::regnamespace and relkind in ('r', 'p')"
        )
        tables = cursor.fetchall()
        there = {name for name, _ in tables} & set(read_contract().tables)
        for name, whole in tables:
            if name in there or whole == "raw.events":
                cursor.execute(f"alter table raw.{name} set schema original")
        for table in places_of(cursor):  # what vendors have is on one server
            if table.startswith("original."):
                cursor.execute("select undistribute_table(%s)", [table])
        for vendor in VENDORS:
            text = (SHAPES / f"{vendor}.sql").read_text(encoding="utf-8")
            cursor.execute(text.replace("{present}", f"date '{COMPANY.ends_on}'"))
    for name in there - set(BY_VENDORS):
        columns = ", ".join(read_contract().tables[name].column_names)
        (folder / f"{name}.sql").write_text(f"select {columns} from original.{name}", encoding="utf-8")
    for vendor, flavour in VENDORS.items():
        connect(history.warehouse, vendor, flavour, vendor, folder)
    install_mappings(history.warehouse, folder)
    sync_mappings(history.warehouse)
    return history


KEYS = {
    "subscriptions": "'si-' || was.subscription_id || '/1'",
    "invoices": "was.invoice_id",
    "cancellation_requests": "(select min(subscription_id) from original.subscriptions "
    "where subscriptions.account_id = was.account_id) || '/1'",
    "tickets": "(select 'zendesk:' || id from zendesk.ticket where ticket.created_at = was.created_at "
    "and ticket.subject is not distinct from was.subject limit 1)",
    "events": "was.event_id",
}
"""Under which key what was came back."""
LOST = {
    "subscriptions": {
        "plan": "a plan without a name is named after its product",
        "auto_renew": "a contract that somebody has to sign renews by itself, until it is cancelled",
        "ended_on": "a contract that ended after its term, late and unsigned, ended with it",
        "billing_months": "a term of a year is billed by the year",
    },
    "invoices": {},
    "cancellation_requests": {},
    "tickets": {
        "csat": "good or bad, of five",
        "csat_scale": "good or bad, of five",
        "is_escalated": "only a field of the team's own could say it",
        "kind": "incident, question or anything else",
        "is_opened_by_us": "false, where nobody had said",
    },
    "events": {"quantity": "so many calls instead of one that counts for several; empty counts as one"},
}
"""What the vendors cannot hold, by table and column."""


def test_rows_come_back_as_they_were_but_for_what_is_stated(round_trip: History) -> None:
    assert {table: differing(round_trip, table) for table in BY_VENDORS} == {
        table: set(columns) for table, columns in LOST.items()
    }
    for table in set(BY_VENDORS) - {"events"}:
        assert round_trip.count(f"raw.{table}") == round_trip.count(f"original.{table}") > 0
    calls = "select sum(coalesce(quantity, 1)), count(distinct (account_id, user_id)) from {}.events"
    assert round_trip.rows(calls.format("raw")) == round_trip.rows(calls.format("original"))


def test_scores_are_the_same_to_the_last_byte_where_the_vendors_keep_what_they_are_made_of(round_trip: History) -> None:
    round_trip.rows(
        "create table original.scores as select * from cs.health_scores; "
        "create table original.weeks as select * from marts.fct_account_weeks"
    )
    with round_trip.runtime() as runtime:
        runtime.launcher.run_weeks(AGAIN, SCORED_UNTIL)
    weeks = f"week between '{AGAIN}' and '{SCORED_UNTIL}'"
    in_both = f"from original.{{}} as was inner join {AT_ONCE} as now using ({{}}) where {weeks}"
    metrics = in_both.format("weeks", "marts.fct_account_weeks", "account_id, week")
    names = [str(name) for (name,) in round_trip.rows(COLUMNS_OF.format("marts.fct_account_weeks"))]
    differ = [
        name for name in names if round_trip.rows(f"select 1 {metrics} and was.{name} is distinct from now.{name}")
    ]
    assert differ == ["renewal_type", "csat_90d"]
    rated = f"(account_id, week) in (select account_id, week {metrics} and was.csat_90d is distinct from now.csat_90d)"
    scores = in_both.format("scores", "cs.health_scores", "account_id, week, model")
    ((different, rated_too),) = round_trip.rows(
        f"select count(*), count(*) filter (where {rated}) {scores} and was::text <> now::text"
    )
    assert different == rated_too
    ((compared, same),) = round_trip.rows(f"select count(*), count(*) filter (where was::text = now::text) {scores}")
    assert compared == round_trip.count("original.scores", weeks) == round_trip.count("cs.health_scores", weeks)
    assert int(str(same)) > 0.8 * int(str(compared))


AT_ONCE = "(select * from {} offset 0)"
"""A table that a Citus brings together before it joins it with one that is on one server."""
COLUMNS_OF = "select attname from pg_attribute where attrelid = '{}'::regclass and attnum > 0 order by attnum"


def differing(history: History, table: str) -> set[str]:
    """The columns in which some row that came back is not as it was."""
    contract = read_contract().tables[table]
    columns = [name for name in contract.column_names if name not in (*contract.key, "user_id", "_loaded_at")]
    columns += ["user_id"] if "user_id" in contract.column_names else []
    differ = ", ".join(f"bool_or(was.{name} is distinct from now.{name})" for name in columns)
    now = AT_ONCE.format(f"raw.{table}")
    ((*found,),) = history.rows(
        f"select {differ} from original.{table} as was inner join {now} as now on now.{contract.key[0]} = {KEYS[table]}"
    )
    return {name for name, differs in zip(columns, found, strict=True) if differs}
