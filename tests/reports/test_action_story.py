"""From a message back to the rows that it comes from."""

from datetime import date

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from tests.builders.sample_history import History

pytestmark = pytest.mark.slow(seconds=10)


def told(history: History, monkeypatch: pytest.MonkeyPatch, action_id: int) -> str:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", history.warehouse.url)
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["action", "why", str(action_id)], catch_exceptions=False)
    return " ".join(result.output.split())


def planned_action(history: History) -> tuple[int, str, date]:
    """An action of a play that a score started, with its account and the week of that score."""
    from cs_pipeline.plays.enrolment.enrol import enrol
    from tests.builders.company import save_play

    ((week, account_id),) = history.rows(
        "select week, account_id from cs.health_scores inner join marts.dim_accounts using (account_id) "
        "where is_active and status = 'scored' and churned_at is null order by week desc, account_id limit 1"
    )
    history.rows(
        f"""
        insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts)
        select
            'score_change:' || '{account_id}', 'score_change', '{account_id}', '{account_id}', date '{week}',
            timestamptz '{history.settings.now}', date '{week}' + 7, '{{"from_severity": 0, "to_severity": 1}}'
        """
    )
    ((trigger_id,),) = history.rows("select max(trigger_id) from cs.triggers")
    now = history.settings.now
    assert now is not None
    enrol(history.warehouse, save_play(exit=[]), [trigger_id], history.settings, now)  # pyright: ignore[reportArgumentType]
    ((action_id,),) = history.rows("select min(action_id) from cs.actions")
    return action_id, account_id, week  # pyright: ignore[reportReturnType]


def test_an_action_is_told_back_to_its_loads(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    action_id, account_id, week = planned_action(history)
    story = told(history, monkeypatch, action_id)
    ((version, load),) = history.rows(
        "select health_scores.model_version, newest_load_id from cs.health_scores "
        "inner join cs.scored_weeks using (week, model, model_version) "
        f"where is_active and account_id = '{account_id}' and week = '{week}'"
    )
    assert f"Action {action_id} is step guide of yellow" in story
    assert f"score_change:{account_id}" in story
    assert f"week {week}, by weekly_points, version {version}" in story
    assert f"after load {load}" in story
    assert "What the score is made of" in story
    ((load_of_events, origin),) = history.rows(
        "select load_id, origin from cs.loads where load_id = "
        f"(select min(_load_id) from raw.events where account_id = '{account_id}')"
    )
    assert f"events {load_of_events} " in story
    assert str(origin)[:8] in story


def test_an_action_that_is_not_there_is_an_error(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="There is no action 999"):
        told(history, monkeypatch, 999)
