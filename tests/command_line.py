"""A command of `cs-pipeline` as the shell would run it, within the test's process."""

import sys

import pytest

from cs_pipeline.cli import main


def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    """Its exit code, and what it said."""
    monkeypatch.setattr(sys, "argv", ["cs-pipeline", *arguments])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out + said.err
