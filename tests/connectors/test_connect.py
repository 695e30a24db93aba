"""`connect`: what it writes, what it leaves alone, what it says is missing, and whose rows find an account."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cs_pipeline.cli import main
from cs_pipeline.connectors.catalogue import find_connector, shipped_connectors
from cs_pipeline.connectors.check import Unmatched, check_identities
from cs_pipeline.connectors.connect import connect
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import install_mappings
from tests.builders.landed import land

CUSTOMERS = "id,name,email,created,metadata\ncus_1,Acme,ann@acme.example,2024-01-01 09:00:00,{}\n"
SUBSCRIPTIONS = (
    "id,customer_id,status,current_period_start,current_period_end\nsub,cus_1,active,2024-04-01,2024-05-01\n"
)
STRIPE = {"customer": CUSTOMERS, "subscription": SUBSCRIPTIONS}

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def stripe(warehouse: Warehouse) -> Warehouse:
    """A warehouse with two of Stripe's tables."""
    land(warehouse, "stripe", STRIPE)
    return warehouse


@pytest.fixture
def say(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command as the shell would; its exit code, stdout and stderr."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cs-pipeline", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_absent_columns_become_typed_nulls_with_a_comment_and_absent_tables_leave_the_file_out(
    stripe: Warehouse, folder: Path
) -> None:
    done = {each.table: each for each in connect(stripe, "stripe", "fivetran", "stripe", folder).tables}
    accounts = (folder / "accounts" / "stripe.sql").read_text(encoding="utf-8")
    assert "null::text as address_country -- stripe.customer has no column address_country\n" in accounts
    assert "customer.address_country" in done["accounts"].absent_columns
    assert done["invoices"].file is None
    assert done["invoices"].lacks == "invoice or invoices"
    assert "overdue_invoices" in done["invoices"].metrics_lost
    assert not (folder / "invoices").exists()
    assert set(done["subscriptions"].absent_tables) >= {"invoice_line_item", "price"}
    assert {mapping.name for mapping in install_mappings(stripe, folder, whole=False)} == {
        "accounts/stripe", "subscriptions/stripe", "cancellation_requests/stripe",
    }  # fmt: skip


def test_what_the_team_changed_is_left_alone_and_the_rest_written_again(stripe: Warehouse, folder: Path) -> None:
    connect(stripe, "stripe", "", "stripe", folder)
    accounts, subscriptions = folder / "accounts" / "stripe.sql", folder / "subscriptions" / "stripe.sql"
    changed = accounts.read_text(encoding="utf-8").replace("customers.name", "upper(customers.name)")
    accounts.write_text(changed, encoding="utf-8")
    before = subscriptions.read_text(encoding="utf-8")
    with stripe.session() as session, session.cursor() as cursor:
        cursor.execute("alter table stripe.customer add column address_country text")
        cursor.execute("alter table stripe.subscription add column cancel_at timestamptz")
    states = {
        each.table: each.file and each.file.state for each in connect(stripe, "stripe", "", "stripe", folder).tables
    }
    assert states == {
        "accounts": "kept", "subscriptions": "rewritten", "cancellation_requests": "the same", "invoices": None,
    }  # fmt: skip
    assert accounts.read_text(encoding="utf-8") == changed
    assert subscriptions.read_text(encoding="utf-8") != before
    connect(stripe, "stripe", "", "stripe", folder, force=True)
    assert "upper" not in accounts.read_text(encoding="utf-8")
    accounts.write_text("select 1 as mine\n", encoding="utf-8")
    connect(stripe, "stripe", "", "stripe", folder)
    assert accounts.read_text(encoding="utf-8") == "select 1 as mine\n"


def test_the_first_source_leads_and_its_key_is_the_account_and_the_file_stays_the_teams(
    stripe: Warehouse, folder: Path
) -> None:
    land(stripe, "desk", {"organization": "id,name,external_id,created_at\n1,Acme,cus_1,2024-01-01\n"})
    assert connect(stripe, "stripe", "", "stripe", folder).leads == ("accounts",)
    connectors = folder / "connectors.yaml"
    mine = connectors.read_text(encoding="utf-8").replace("leads: [accounts]", "leads: [accounts]  # as agreed")
    connectors.write_text(mine, encoding="utf-8")
    done = connect(stripe, "zendesk", "", "desk", folder, source="desk")
    assert (done.leads, done.entry_is_new) == ((), True)
    text = connectors.read_text(encoding="utf-8")
    assert text.startswith(mine)
    assert "  desk:\n    schema: desk\n    flavour: fivetran\n    account_id:\n      - company.external_id\n" in text
    assert "coalesce(nullif(btrim((company.metadata::jsonb ->> 'account_id')::text), ''), nullif(btrim((company.id" in (
        (folder / "accounts" / "stripe.sql").read_text(encoding="utf-8")
    )
    connectors.write_text(text.replace("company.external_id", "company.name"), encoding="utf-8")
    connect(stripe, "zendesk", "", "desk", folder, source="desk")
    assert "company.name" in (folder / "accounts" / "desk.sql").read_text(encoding="utf-8")


def test_without_a_place_for_our_id_that_is_said_and_the_entry_shows_where_to_state_it(
    warehouse: Warehouse, folder: Path
) -> None:
    land(warehouse, "hubspot", {"company": "id,property_name,property_createdate\n1,Acme,2024-01-01\n"})
    folder.mkdir()
    (folder / "accounts.sql").write_text(
        "select 'a' as account_id, 'A' as account_name, date '2024-01-01' as created_at"
    )
    assert connect(warehouse, "hubspot", "", "hubspot", folder).has_no_id
    connectors = folder / "connectors.yaml"
    text = connectors.read_text(encoding="utf-8")
    assert "    # account_id:\n    #   - company.property_account_id  # once there is such a column\n" in text
    stated = text.replace("    # account_id:", "    account_id:").replace(
        "    #   - company.property_", "      - company.property_"
    )
    connectors.write_text(stated.replace("property_account_id", "property_name"), encoding="utf-8")
    assert not connect(warehouse, "hubspot", "", "hubspot", folder).has_no_id


@pytest.mark.parametrize(
    ("vendor", "landed", "lacks"),
    [
        ("hubspot", {"company": "id,property_name\n1,Acme\n"}, "engagement_meeting or engagements_meetings"),
        ("salesforce", {"account": "id,name\n1,Acme\n"}, "event"),
    ],
)
def test_without_meetings_and_calls_there_is_no_mapping_that_would_say_there_were_none(
    warehouse: Warehouse, folder: Path, vendor: str, landed: dict[str, str], lacks: str
) -> None:
    land(warehouse, vendor, landed)
    done = {each.table: each for each in connect(warehouse, vendor, "fivetran", vendor, folder).tables}
    assert (done["touchpoints"].file, done["touchpoints"].lacks) == (None, lacks)
    assert "days_since_last_touchpoint" in done["touchpoints"].metrics_lost


@pytest.mark.parametrize(
    ("vendor", "flavour", "words"),
    [
        ("strip", "", r"no connector for 'strip' \(did you mean stripe\?\); there are: .*hubspot, .*zendesk"),
        (
            "salesforce",
            "segment",
            r"salesforce as segment lands it; salesforce exists as airbyte, dlt, fivetran; --flavour segment",
        ),
        ("zendesk", "segment", r"exists for rudderstack, segment"),
    ],
)
def test_what_is_not_there_is_refused_by_naming_what_is(vendor: str, flavour: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        find_connector(vendor, flavour)


def test_a_schema_that_is_not_there_or_not_the_vendors_is_refused(stripe: Warehouse, folder: Path) -> None:
    with pytest.raises(UserError, match=r"no schema 'strip' .*did you mean stripe"):
        connect(stripe, "stripe", "", "strip", folder)
    with pytest.raises(UserError, match=r"none of the tables of Zendesk: accounts needs organization"):
        connect(stripe, "zendesk", "", "stripe", folder)
    assert not folder.exists()


def test_check_gives_rates_by_source_the_unmatched_with_most_money_first_and_domains_of_several(
    warehouse: Warehouse, folder: Path
) -> None:
    land(
        warehouse,
        "stripe",
        {
            "customer": "id,name,email,created,metadata\n"
            'cus_1,Acme,x@acme.example,2024-01-01,"{""account_id"": ""a""}"\n'
            'cus_2,Ghost,x@ghost.example,2024-01-01,"{""account_id"": ""gone""}"\n'
            "cus_3,Free,me@gmail.com,2024-01-01,{}\n"
            "cus_4,Bolt,new@bolt.example,2024-01-01,{}\n"
            "cus_5,Both,z@both.example,2024-01-01,{}\n",
            "plan": "id,amount,currency,interval,interval_count\np,100000,usd,month,1\n",
            "subscription": "id,customer_id,status,current_period_start,current_period_end\n"
            + "".join(f"s{n},cus_{n},active,2024-04-01,2024-05-01\n" for n in range(1, 6)),
            "subscription_item": "id,subscription_id,plan_id,quantity\n"
            + "".join(f"i{n},s{n},p,{n}\n" for n in range(1, 6)),
        },
    )
    connect(warehouse, "stripe", "", "stripe", folder)
    for table, sql in {
        "accounts": "select id as account_id, id as account_name, timestamp '2024-01-01' as created_at "
        "from (values ('a'), ('b')) as given (id)",
        "users": "select * from (values ('u1', 'a', 'x@acme.example', date '2024-01-01'), "
        "('u2', 'b', 'x@bolt.example', date '2024-01-01'), ('u3', 'a', 'p@both.example', date '2024-01-01'), "
        "('u4', 'b', 'q@both.example', date '2024-01-01')) as given (user_id, account_id, email, created_at)",
    }.items():
        (folder / f"{table}.sql").write_text(sql, encoding="utf-8")
    (folder / "connectors.yaml").write_text(
        (folder / "connectors.yaml").read_text().replace("    leads: [accounts]\n", "").replace("- company.id\n", "")
    )
    connect(warehouse, "stripe", "", "stripe", folder)
    found = check_identities(warehouse, folder)
    rates = {rate.source: rate for rate in found.rates}
    assert (rates["stripe"].by_id, rates["stripe"].by_domain, rates["stripe"].by_address) == (2, 2, 0)
    assert rates["users"].share == 1.0
    assert found.unmatched[:3] == (
        Unmatched("stripe", "z@both.example", 1, 60_000.0, "several accounts have its address or domain"),
        Unmatched("stripe", "me@gmail.com", 1, 36_000.0, "its address is of a provider of free mail"),
        Unmatched("stripe", "gone", 2, 24_000.0, "its id is none of our accounts"),
    )
    assert [(shared.domain, shared.accounts) for shared in found.shared_domains] == [("both.example", ("a", "b"))]


def test_the_command_says_what_it_did_what_that_costs_and_what_comes_next(
    stripe: Warehouse, folder: Path, say: Say
) -> None:
    code, out, err = say("connect", "stripe", "--schema", "stripe", "--folder", str(folder))
    assert code == 0, err
    said = " ".join(out.split())
    assert "invoices left out: there is no table invoice or invoices; without it are missing: overdue_invoices" in said
    assert "stripe entered; it leads accounts" in said
    assert "cs-pipeline connect --check --folder" in said
    (folder / "accounts" / "stripe.sql").write_text("select 1 as mine\n", encoding="utf-8")
    _, out, _ = say("connect", "stripe", "--folder", str(folder))
    assert "is left alone: it was changed by hand; --force writes over it" in " ".join(out.split())
    code, out, _ = say("connect", "stripe", "--folder", str(folder), "--force", "--json")
    assert {each["table"]: each["state"] for each in json.loads(out)}["accounts"] == "rewritten"
    code, out, _ = say("connect", "--check", "--folder", str(folder))
    assert code == 0
    assert out.split()[:2] == ["source", "rows"]
    assert say("connect", "nothing")[0] == 1
    assert say("connect")[0] == 1
    assert len(json.loads(say("connect", "--list", "--json")[1])) == len(shipped_connectors())


def test_a_select_that_fails_while_it_is_checked_is_named_with_its_file(
    warehouse: Warehouse, folder: Path, say: Say
) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "accounts.sql").write_text(
        "select 'a'::text as account_id, 'a'::text as account_name, timestamp '2024-01-01' as created_at",
        encoding="utf-8",
    )
    (folder / "subscriptions.sql").write_text(
        "select 's'::text as subscription_id, given.id as account_id, given.mrr::numeric::text as mrr, "
        "date '2024-01-01' as started_on from (values ('a', 'twelve')) as given (id, mrr)",
        encoding="utf-8",
    )
    code, _, err = say("connect", "--check", "--folder", str(folder))
    assert code == 1
    assert "mapping subscriptions cannot be read: invalid input syntax for type numeric" in " ".join(err.split())
    assert "Change subscriptions.sql" in " ".join(err.split())
