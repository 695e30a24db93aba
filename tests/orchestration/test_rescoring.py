"""The job `rescore` and the check of late data, as the Dagster UI starts and shows them."""

import dagster as dg
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import RESCORE_JOB
from tests.builders.sample_history import SCORED_UNTIL, WEEK, History

pytestmark = pytest.mark.slow(seconds=8)

FIRST = SCORED_UNTIL - WEEK
COUNTS = "select t::text from cs.active_scores as t order by 1"
CONFIG = {"model": "weekly_points_halve", "first_week": str(FIRST), "last_week": str(SCORED_UNTIL)}


def rescore(history: History, **config: str) -> dg.ExecuteInProcessResult:
    with history.runtime() as runtime:
        return runtime.launcher.run(RESCORE_JOB, run_config={"ops": {"score_beside": {"config": CONFIG | config}}})


def test_a_variant_scored_by_the_job_stands_beside_what_counts(history: History) -> None:
    before = history.rows(COUNTS)
    done = rescore(history)
    (observation,) = [event for event in done.all_events if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION]
    told = observation.asset_observation_data.asset_observation.metadata
    version = told["model_version"].value
    read = history.count(f"cs.scores_of('weekly_points_halve', '{version}')")
    assert read == told["rows"].value == history.count("marts.fct_account_weeks", f"week >= '{FIRST}'")
    assert history.rows(COUNTS) == before


def test_a_week_that_is_no_date_is_named(history: History) -> None:
    with pytest.raises(UserError, match="last_week is 'now'; expected a Monday"):
        rescore(history, last_week="now")


def test_a_run_warns_of_weeks_whose_inputs_changed_since_they_were_scored(history: History) -> None:
    history.rows(
        "with load as (insert into cs.loads (source_table, origin) values ('events', 'test') returning load_id) "
        "insert into raw.events (event_id, account_id, occurred_at, event_name, _load_id) "
        f"select 'late', 'nobody', '{FIRST} 12:00Z', 'login', load_id from load"
    )
    with history.runtime() as runtime:
        done = runtime.launcher.run_weeks(SCORED_UNTIL, SCORED_UNTIL)
    (result,) = [
        each for each in done.get_asset_check_evaluations() if each.check_name == "inputs_unchanged_since_scored"
    ]
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.metadata["weeks_to_score_again"].value == [str(FIRST)]
