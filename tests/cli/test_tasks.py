"""`task list` and `task done` as a person meets them."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import CRM, delivered


def run(*arguments: str) -> str:
    return CliRunner().invoke(app, arguments, catch_exceptions=False).output


@pytest.mark.requirement("S4-187")
def test_a_task_is_listed_until_somebody_says_that_it_is_done(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    task = delivered(CrmTableChannel(warehouse, Clock(datetime(2026, 1, 6, tzinfo=UTC))), CRM).provider_id or ""
    assert "Call Acme" in run("task", "list")
    assert "No task is open" in run("task", "list", "--assignee", "nobody@example.com")
    assert "1 done" in run("task", "done", task, "--by", "olga")
    assert "No task is open" in run("task", "list")
    assert "0 done" in run("task", "done", task)
    with pytest.raises(UserError, match="There is no task 999"):
        run("task", "done", "999")
