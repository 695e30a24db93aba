"""Whoever acts on the marts finds them at every moment, also while they are built again and again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.settings import Settings
from tests.dbt.conftest import DbtWarehouse, accounts

NOW = datetime(2024, 3, 4, 15, tzinfo=UTC)
VIEWS = ("--select", "staging", "int_subscription_terms", "dim_accounts", "dim_contacts", "fct_subscription_terms")
UNTESTED = ("--exclude-resource-type", "test")


@pytest.fixture
def built(dbt_warehouse: DbtWarehouse) -> DbtWarehouse:
    """Accounts with a person and a contract each, and every model."""
    ids = [f"a{number}" for number in range(20)]
    dbt_warehouse.load("accounts", *accounts(*ids, owner_email="csm@example.com"))
    dbt_warehouse.load(
        "users",
        *(
            {"user_id": f"u-{each}", "account_id": each, "email": f"{each}@x.example", "created_at": NOW}
            for each in ids
        ),
    )
    dbt_warehouse.load(
        "subscriptions",
        *(
            {"subscription_id": f"s-{each}", "account_id": each, "seats": 5, "mrr": 100, "started_on": "2024-01-01"}
            for each in ids
        ),
    )
    dbt_warehouse.build("--exclude", "tag:weekly", "tag:alerts", "tag:kpis", *UNTESTED, present=NOW.isoformat())
    dbt_warehouse.build_weeks("2024-02-26")
    return dbt_warehouse


@contextmanager
def without_pause(act: Callable[[int], None]) -> Iterator[list[int]]:
    """Within, `act` is called again and again; raises what it raises. Yields how often it was done."""
    ended, raised, done = threading.Event(), list[BaseException](), list[int]()

    def go_on() -> None:
        try:
            while not ended.is_set():
                act(len(done))
                done.append(len(done))
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()
    if raised:
        raise raised[0]


def test_plays_start_and_deliver_while_the_marts_are_built_again_and_again(built: DbtWarehouse, tmp_path: Path) -> None:
    settings, clock = Settings(home=tmp_path, breaker_from=500), Clock(NOW)
    save_offer, renderer = load_playbooks(None)["save_offer"], Renderer(settings)
    channels = channels_for(settings, built.warehouse, clock)

    def act(number: int) -> None:
        ask = Ask("ada", key=str(number))
        start(built.warehouse, save_offer, [f"a{number % 20}"], ask, settings, NOW)
        summary = deliver_due(built.warehouse, channels, renderer, settings, clock, limit=1)
        assert not summary.problems

    with without_pause(act) as done:
        for _ in range(3):
            built.build(*VIEWS, *UNTESTED, present=NOW.isoformat())
    assert len(done) > 3
    assert built.column("select count(*) from cs.action_attempts where outcome = 'sent'") > [0]


def test_a_view_whose_columns_changed_takes_nothing_away_either(built: DbtWarehouse) -> None:
    """As after an upgrade: what stands on the old one reads it until it is built itself."""
    built.execute("alter view staging.stg_accounts rename column industry to sector")

    def read(_: int) -> None:
        assert built.column("select count(*) from marts.dim_accounts where industry is null") == [20]

    with without_pause(read):
        built.build("--select", "stg_accounts", *UNTESTED, present=NOW.isoformat())
        built.build("--exclude", "tag:weekly", "tag:alerts", "tag:kpis", *UNTESTED, present=NOW.isoformat())
    assert built.column("select count(*) from staging.stg_accounts where industry is null") == [20]
    assert built.column("select viewname from pg_views where viewname like '%dbt%'") == []
