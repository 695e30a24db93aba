"""Rules are not asked about days whose single events are in files; those that read sums by day are."""

from datetime import datetime
from pathlib import Path

import pytest

from cs_pipeline.alerts.replay import replay
from cs_pipeline.errors import UserError
from cs_pipeline.reports.alerts.trial import try_rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from tests.builders.alert_histories import AlertHistory, day, lasting

WITH_EVENTS = """
create view staging.stg_events as select * from raw.events;
create schema intermediate;
create view intermediate.int_user_activity_to_date as select * from staging.stg_events;
create or replace view alerts.clicks as
select found.* from ({clicks}) as found where not exists (select from staging.stg_events where page = 'x');
create or replace view alerts.idle as
select found.* from ({idle}) as found
where not exists (select from intermediate.int_user_activity_to_date where page = 'x')
"""


@pytest.fixture
def history(warehouse: Warehouse) -> AlertHistory:
    """A rule that reads single events, one that reads sums, and January 2025 archived; each finds an account."""
    told = AlertHistory(warehouse, [lasting("clicks"), lasting("idle")])
    with warehouse.session() as session, session.cursor() as cursor:
        read_contract().tables["events"].create(cursor)
    views = {name: told.run(f"select pg_get_viewdef('alerts.{name}'::regclass)")[0][0] for name in told.rules}
    told.run(WITH_EVENTS.format(**{name: sql.rstrip(";") for name, sql in views.items()}))
    told.run(
        "insert into cs.archived_months (source_table, month, file, rows, digest) "
        "values ('events', '2025-01-01', 'events_2025_01.parquet', 1, '')"
    )
    told.account("a")
    for name in told.rules:
        told.holds("a", 1, 90, rule=name)
    return told


def test_a_rule_that_looks_at_single_events_is_not_replayed_over_months_that_are_archived(
    history: AlertHistory, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home")

    def fired(first: datetime, last: datetime, *names: str) -> list[str]:
        return [*replay(history.warehouse, settings, {n: history.rules[n] for n in names}, first, last).fired["rule"]]

    with pytest.raises(UserError) as refused:
        fired(day(0), day(60), "clicks", "idle")
    assert str(refused.value).startswith("clicks looks at single events, as long as 92 days back, and those of 2025-01")
    assert "`cs-pipeline data restore FILE` brings a month back" in str(refused.value)
    assert str(refused.value).endswith("or ask from 2025-05-04 on.")
    assert fired(day(0), day(60), "idle") == ["idle"]
    assert fired(day(55), day(60), "clicks") == ["clicks"]

    with history.warehouse.session() as session, pytest.raises(UserError, match="those of 2025-01 are archived"):
        try_rule(session, history.rules["clicks"], day(20))
