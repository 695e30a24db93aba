"""The job `simulate_plays`, as the Dagster UI starts and shows it."""

import dagster as dg
import pytest

from cs_pipeline.errors import UserError
from tests.builders.sample_history import SCORED_UNTIL, WEEK, History

pytestmark = pytest.mark.slow(seconds=8)


def simulate(history: History, **config: object) -> dg.ExecuteInProcessResult:
    with history.runtime() as runtime:
        return runtime.launcher.run("simulate_plays", run_config={"ops": {"simulate": {"config": config}}})


def test_the_job_shows_tables_and_writes_nothing(history: History) -> None:
    counts = [f"select '{name}', count(*) from cs.{name}" for name in ("triggers", "enrolments", "actions", "segments")]
    before = [history.rows(sql) for sql in counts]
    first = str(SCORED_UNTIL - WEEK)
    done = simulate(history, playbooks=["yellow_adoption", "renewal_ladder"], first_week=first)
    (observation,) = [event for event in done.all_events if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION]
    told = observation.asset_observation_data.asset_observation.metadata
    assert {"plays", "weeks", "people", "reasons"} <= set(told)
    assert [record.data["playbook"] for record in told["plays"].records] == ["yellow_adoption", "renewal_ladder"]  # pyright: ignore[reportAttributeAccessIssue]
    assert [history.rows(sql) for sql in counts] == before


def test_a_playbook_that_there_is_not_is_told(history: History) -> None:
    with pytest.raises(UserError, match="There is no playbook 'no_such'"):
        simulate(history, playbooks=["no_such"])
