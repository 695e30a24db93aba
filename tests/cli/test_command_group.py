"""Commands as a newcomer meets them: every help fits a screen, and a wrong name leads to the right one."""

import subprocess
import sys

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.cli.command_group import command_paths

ROOT = get_command(app)
assert isinstance(ROOT, TyperGroup)
PATHS = dict(command_paths(ROOT))
GROUPS = ["", *(path for path, command in PATHS.items() if isinstance(command, TyperGroup))]
COMMANDS = [path for path, command in PATHS.items() if not isinstance(command, TyperGroup)]
SCREEN = {"COLUMNS": "100"}
LINES = 41


def help_of(path: str) -> list[str]:
    done = CliRunner().invoke(app, [*path.split(), "--help"], env=SCREEN)
    assert done.exit_code == 0
    return done.output.rstrip().splitlines()


@pytest.mark.parametrize("path", [*GROUPS, *COMMANDS])
def test_help_fits_a_screen(path: str) -> None:
    shown = help_of(path)
    assert len(shown) <= LINES
    assert max(map(len, shown)) <= 100


@pytest.mark.parametrize("path", GROUPS)
def test_a_group_names_all_its_commands(path: str) -> None:
    shown = [line.strip("│ ").split(" ")[0] for line in help_of(path)]
    prefix = f"{path} " if path else ""
    for other in PATHS:
        if other.startswith(prefix) and " " not in other.removeprefix(prefix):
            assert other.removeprefix(prefix) in shown


@pytest.mark.parametrize("path", [*COMMANDS, *GROUPS[1:]])
def test_every_command_has_one_line_of_help_that_ends_as_a_sentence(path: str) -> None:
    first = (PATHS[path].help or "").strip().splitlines()[0]
    assert first[:1].isupper()
    assert first.endswith((".", ":"))
    assert len(first) <= 120


@pytest.mark.parametrize("path", COMMANDS)
def test_every_argument_and_option_is_explained(path: str) -> None:
    for parameter in PATHS[path].params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("play simulat", "play simulate"),
        ("ply simulate red_save", "play simulate"),
        ("approve 12", "action approve"),
        ("play approve 12", "action approve"),
        ("why-action 12", "action why"),
        ("task-done 3", "task done"),
        ("models", "model"),
        ("overrides", "score overrides"),
        ("simulate red_save", "play simulate"),
        ("dotcor", "doctor"),
        ("backtest", "model backtest"),
    ],
)
def test_a_wrong_name_gets_the_command_that_is_meant(typed: str, meant: str) -> None:
    done = CliRunner().invoke(app, typed.split(), env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert f"Did you mean `cs-pipeline {meant}`" in done.output


def test_a_name_like_no_other_is_sent_to_the_help() -> None:
    done = CliRunner().invoke(app, ["zzzz"], env=SCREEN)
    assert done.exit_code == 2
    assert "--help` lists the commands" in done.output


def test_help_imports_nothing_that_takes_seconds() -> None:
    code = (
        "import sys; from cs_pipeline.cli import app; from typer.testing import CliRunner; "
        "CliRunner().invoke(app, ['--help']); print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    for heavy in ("dagster", "dbt", "pandas", "numpy", "psycopg2", "adbc_driver_postgresql", "jinja2", "uvicorn"):
        assert heavy not in loaded
