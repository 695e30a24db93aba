"""The page of data health: what is old, missing, rejected, late, blind or stuck, and that all is well where it is."""

from datetime import timedelta

from starlette.testclient import TestClient

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.history.late_data import late_data
from cs_pipeline.reports.data_health.runs import last_runs
from cs_pipeline.reports.data_health.scored import Scored, scored
from cs_pipeline.reports.data_health.sends import sends
from cs_pipeline.reports.data_health.sources import SourceLine, source_lines
from cs_pipeline.site.kept import Kept, state_of_data
from tests.builders.site import HOSTILE, Sample


def sources_of(sample: Sample) -> dict[str, SourceLine]:
    with sample.warehouse.session() as session:
        return {line.name: line for line in source_lines(session, load_rules(None), sample.now)}


def scored_of(sample: Sample) -> Scored:
    with sample.warehouse.session() as session:
        return scored(session, sample.now)


def test_a_feed_that_stopped_stands_first_with_what_it_may_be_and_what_it_feeds(changing: Sample) -> None:
    before = sources_of(changing)
    assert (before["invoices"].state, before["accounts"].state) == ("fresh", "fresh")
    assert before["accounts"].allowed == timedelta(days=8)
    assert before["accounts"].asked_by == "the contract"
    assert before["events"].metrics > 5 < before["events"].rules
    long_ago = changing.now - timedelta(days=300)
    changing.history.rows(
        f"""
        update cs.loads set finished_at = '{long_ago}' where source_table = 'invoices';
        update raw.invoices set issued_on = '{long_ago:%Y-%m-%d}', due_on = '{long_ago:%Y-%m-%d}',
            _loaded_at = '{long_ago}'
        """
    )
    after = sources_of(changing)
    stale = {name for name, line in after.items() if line.state == "stale"}
    assert stale == {name for name, line in before.items() if line.state == "stale"} | {"invoices"}
    assert set(list(after)[: len(stale)]) == stale
    assert after["invoices"].state == "stale"
    assert "has no row newer than" in after["invoices"].why


def test_coverage_counts_every_account_of_the_newest_week_once_and_says_why_one_has_no_score(changing: Sample) -> None:
    (total,) = changing.history.rows("select count(*) from cs.account_overview")[0]
    found = scored_of(changing)
    assert sum(row["accounts"] for row in [*found.coverage, *found.without]) == found.accounts == total
    assert {row["model"] for row in found.models} >= {"five_factor"}
    held, bare = changing.accounts[:2]
    changing.history.rows(
        f"""
        update cs.health_scores set status = 'not_scored', score = null, band = null, severity = null
        where account_id = '{held}' and week = '{found.week}';
        delete from cs.health_scores where account_id = '{bare}' and week = '{found.week}'
        """
    )
    after = scored_of(changing)
    assert {row["status"]: row["accounts"] for row in after.without} == {
        row["status"]: row["accounts"] for row in found.without
    } | {
        status: 1 + sum(row["accounts"] for row in found.without if row["status"] == status)
        for status in ("not_scored", "none")
    }
    assert after.unscored == found.unscored + 2
    changing.history.rows(f"delete from cs.health_scores where week = '{found.week - timedelta(days=14)}'")  # pyright: ignore[reportOptionalOperand]
    assert found.week is not None
    assert scored_of(changing).holes == [found.week - timedelta(days=14)]


def test_what_is_wrong_is_told_on_the_page_with_what_to_do(changing: Sample, actor: TestClient) -> None:
    changing.history.rows(
        "update cs.actions set due_at = '2098-01-01', expires_at = '2099-01-01' where status = 'planned'"
    )
    well = actor.get("/data").text
    assert "Nothing waits in vain." in well
    assert "Nothing that the scored weeks look at changed" in well
    assert "data rejects" in well
    assert HOSTILE not in well
    week = scored_of(changing).week
    assert week is not None
    changing.history.rows(
        f"""
        update cs.actions set status = 'uncertain' where action_id = (select min(action_id) from cs.actions);
        update cs.actions set status = 'planned', due_at = '2020-01-01', expires_at = '2099-01-01', reason = null
        where action_id = (select max(action_id) from cs.actions);
        insert into cs.loads (source_table, origin, rows_read, rows_loaded, rows_rejected, started_at, finished_at)
        values ('tickets', 'late', 1, 1, 0, now(), now());
        update raw.survey_responses set _load_id = (select max(load_id) from cs.loads)
        where responded_at < '{week}'
        """
    )
    text = actor.get("/data").text
    for said in (
        "cs-pipeline action list --status uncertain",
        "Rows that arrived after the week was scored",
        "nobody takes them",
        "cannot see",
    ):
        assert said in text, said
    late = late_data(changing.warehouse, week - timedelta(weeks=26), week, changing.settings.late_rows)
    assert not late.arrived.empty
    for first in late.weeks_to_score_again[:1]:
        assert f"cs-pipeline backfill --from {first}" in text


def test_parts_say_when_they_ran_and_the_others_that_they_never_did(sample: Sample) -> None:
    with sample.warehouse.session() as session:
        found = {run.part.relation: run.last for run in last_runs(session)}
        assert sends(session, sample.now).is_well
    assert found["cs.loads"] is not None
    assert found["cs.scored_weeks"] is not None
    assert found["cs.crm_readings"] is None
    assert (found["marts.fct_kpis"],) == sample.history.rows("select max(as_of_day) from marts.fct_kpis")[0]


def test_what_is_costly_is_read_again_once_the_data_is_another(changing: Sample) -> None:
    with changing.warehouse.session() as session:
        before = state_of_data(session)
        assert state_of_data(session) == before
    changing.history.rows("insert into cs.loads (source_table, origin, rows_read) values ('tickets', 'more', 1)")
    with changing.warehouse.session() as session:
        assert state_of_data(session) != before
    kept = Kept()
    assert [kept.get("x", state, lambda made=made: made) for state, made in ((1, "a"), (1, "b"), (2, "c"))] == [
        "a",
        "a",
        "c",
    ]
    assert kept.get("x", 1, lambda: "new") == "new"
    assert kept.get("y", 1, lambda: "of y") == "of y"
