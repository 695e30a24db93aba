"""`model rescore`, `model list`, `score late`, `score reproduce` as a person meets them."""

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import selection_of
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import add_account_week, create_marts, rows, week
from tests.builders.scored_accounts import WEEKLY_POINTS
from tests.history.test_late_data import load

FROM, TO = ["--from", "2024-01-01"], ["--to", "2024-01-08"]


@pytest.fixture
def scored(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Two scored weeks of an account, in the warehouse that commands find."""
    create_marts(warehouse)
    for number in range(2):
        add_account_week(warehouse, "a", number)
    score_weeks(warehouse, selection_of(WEEKLY_POINTS), [week(0), week(1)], Scope())
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    return warehouse


def run(*arguments: str) -> str:
    return CliRunner().invoke(app, arguments, catch_exceptions=False).output


def test_what_rescore_says_to_read_reads_what_it_wrote(scored: Warehouse) -> None:
    said = run("model", "rescore", "five_factor", *FROM, *TO)
    assert "2 scores in 2 weeks, beside what counts" in said
    assert len(rows(scored, said.splitlines()[-1])) == 2
    listed = run("model", "list")
    assert "five_factor" in listed
    assert "weekly_points" in listed


def test_rescoring_by_the_version_that_counts_writes_nothing_and_says_so(scored: Warehouse) -> None:
    assert "counts there already" in run("model", "rescore", "weekly_points", *FROM, *TO)


def test_late_says_when_there_is_nothing_late(scored: Warehouse) -> None:
    assert "nothing that the scored weeks look at changed" in run("score", "late")


def test_late_tells_a_row_that_is_news_to_many_weeks_once_and_says_what_to_run(scored: Warehouse) -> None:
    load(scored, "events", event_id="e", account_id="a", event_name="login", occurred_at="2024-01-01 09:00Z")
    said = run("score", "late")
    (told,) = [line for line in said.splitlines() if "events" in line]
    assert "2024-01-01" in told
    assert "2024-01-08" in told
    assert said.splitlines()[-1] == "  cs-pipeline backfill --from 2024-01-01 --to 2024-01-08"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model", "rescore", "no_such_model", *FROM, *TO], "There is no score model 'no_such_model'"),
        (["model", "rescore", "none.yaml", *FROM, *TO], "There is no file none.yaml"),
        (["model", "rescore", "five_factor", "--from", "2024-01-02", *TO], "The first week is 2024-01-02, a Tuesday"),
        (["model", "rescore", "five_factor", *FROM, "--to", "2024-01-15"], "build 2024-01-01 to 2024-01-15 first"),
        (["score", "reproduce", *FROM, *TO, "--as-known-at", "2024-01-09"], "the week 2024-01-08 was not over"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(scored: Warehouse, arguments: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        run(*arguments)
