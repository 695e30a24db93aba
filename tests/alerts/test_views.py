"""Views of rules are built again when a file has changed, one is gone, or what they read was put aside; else not."""

import json

import pytest

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.alerts.views import are_standing, say_built, views_and_digest
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import build_manifest

BUILT = """
create schema staging;
create view staging.stg_tickets as select 1 as tickets;
create schema alerts;
create view alerts.one as select * from staging.stg_tickets;
create view alerts.two as select 2 as two;
"""


@pytest.mark.parametrize(
    ("change", "is_standing"),
    [
        ("select 1", True),
        ("create or replace view alerts.two as select 3 as two", True),
        ("drop view alerts.two", False),
        ("alter view staging.stg_tickets rename to stg_tickets__dbt_backup101010101010", False),
        ("drop schema alerts cascade", False),
    ],
)
def test_views_are_built_again_when_one_is_gone_or_reads_what_was_put_aside(
    warehouse: Warehouse, change: str, is_standing: bool
) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(BUILT)
        assert not are_standing(session, ["one", "two"], "digest"), "nobody has said from what they were built"
        say_built(session, "digest")
        cursor.execute(change)
        assert are_standing(session, ["one", "two"], "digest") is is_standing
        assert not are_standing(session, ["one", "two"], "another")


def test_the_digest_follows_every_file_that_a_rule_is_compiled_from() -> None:
    manifest = json.loads(build_manifest().read_text())
    views, digest = views_and_digest(manifest)
    assert views == sorted(load_rules(None))
    assert views_and_digest(manifest) == (views, digest)
    manifest["macros"]["macro.cs_pipeline.was_known"]["macro_sql"] += " "
    changed = views_and_digest(manifest)[1]
    assert changed != digest
    manifest["nodes"]["model.cs_pipeline.invoice_overdue"]["checksum"]["checksum"] = "0"
    assert views_and_digest(manifest)[1] not in (digest, changed)
