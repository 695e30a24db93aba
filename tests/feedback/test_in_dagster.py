"""The asset of the ledger, and the sample company: what is said is handed on once, and a backfill hands on nothing."""

import dagster as dg
import pandas as pd
import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.assets.feedback import routed_feedback
from cs_pipeline.orchestration.keys import BACKFILL_TAG
from cs_pipeline.reports.dated.catalogue import kind_named, make_report
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import Company
from tests.builders.sample_history import History
from tests.feedback.conftest import say


def materialize(
    warehouse: Warehouse, settings: Settings, clock: Clock, tags: dict[str, str] | None = None
) -> dict[str, object]:
    resources = {"warehouse": warehouse, "settings": settings, "clock": clock}
    result = dg.materialize([routed_feedback], resources=resources, tags=tags)
    (event,) = result.asset_materializations_for_node("cs__routed_feedback")
    assert "@" not in str(event.metadata), "Dagster keeps what it shows"
    return {name: value.value for name, value in event.metadata.items()}


def test_a_backfill_hands_on_nothing_and_what_is_shown_repeats_no_words(
    talking: Company, settings: Settings, clock: Clock
) -> None:
    say(talking, "odd", "We hardly use it.")
    assert materialize(talking.warehouse, settings, clock, {BACKFILL_TAG: "b"})["handed_on"] == 0
    assert talking.run("select * from cs.routed_feedback") == []
    shown = materialize(talking.warehouse, settings, clock)
    assert (shown["handed_on"], shown["to_triage"], shown["messages"]) == (1, 1, 1)
    assert "feedback:odd" in str(shown["triage"])
    assert "hardly" not in str(shown["triage"])


@pytest.mark.requirement("S3-49", "S3-50", "S3-53", "S3-54", "S3-55", "S3-56", "S3-57", "S5-36")
def test_the_sample_company_is_handed_on_as_pandas_counts_it(history: History) -> None:
    now = Clock(history.settings.now).now()
    materialize(history.warehouse, history.settings, Clock(now))
    said = query(history.warehouse, "select feedback_id, kind, created_at from raw.feedback")
    found = query(history.warehouse, "select * from cs.routed_feedback")
    since = pd.Timestamp(now) - pd.Timedelta(days=365)
    said = said[(said["created_at"] > since) & (said["created_at"] <= pd.Timestamp(now))]
    ours = found[found["said_in"] == "feedback"].set_index("source_id")
    assert sorted(ours.index) == sorted(said["feedback_id"])
    by_tag = {
        "feature_request": "feature_request",
        "bug": "bug",
        "price_objection": "pricing_concern",
        "competitor_mention": "competitive_intelligence",
        "praise": "praise",
    }
    for kind, rule in by_tag.items():
        assert set(ours.loc[said.loc[said["kind"] == kind, "feedback_id"], "rule"]) <= {rule}, kind
    requests = ours[ours["rule"] == "feature_request"]
    priority = requests["tier"].map({"starter": "low", "pro": "medium", "enterprise": "high"})
    assert len(requests) > 5
    assert (requests["priority"] == priority).all()
    assert found["is_told"].equals(found["said_at"] > pd.Timestamp(now) - pd.Timedelta(days=7))
    assert materialize(history.warehouse, history.settings, Clock(now))["handed_on"] == 0
    with history.warehouse.session() as session:
        report = make_report(session, kind_named("product_feedback"), history.settings, now)
    assert report.tables[0].rows
    clocks = query(history.warehouse, "select state, answered_at, due_at from marts.fct_ticket_sla")
    assert (clocks.loc[clocks["answered_at"] <= clocks["due_at"], "state"] == "met").all()
