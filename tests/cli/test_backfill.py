"""`cs-pipeline backfill`: wrong questions get one clear sentence, before anything is started."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2025-01-07", "--to", "2025-01-13"], "--from is 2025-01-07, a Tuesday"),
        (["--from", "2025-01-13", "--to", "2025-01-06"], r"--to \(2025-01-06\) lies before --from \(2025-01-13\)"),
        (["--from", "2025-01-06", "--to", "2025-01-06", "--late-rows", "maybe"], "expected exclude or include"),
        (["--from", "2019-01-07", "--to", "2025-01-06"], "lies before the first week, 2023-01-02"),
        (["--from", "2025-01-06", "--to", "2099-01-05"], "is not over yet"),
    ],
)
def test_weeks_that_make_no_sense_are_refused(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))  # not the demo's, which has a first week of its own
    with pytest.raises(UserError, match=words):
        CliRunner().invoke(app, ["backfill", *arguments], catch_exceptions=False)


def test_every_command_has_a_sentence_of_help() -> None:
    assert all(command.callback and command.callback.__doc__ for command in app.registered_commands)
