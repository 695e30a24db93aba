"""Every `cs-pipeline …` in the docs, in messages and in comments is a command that exists, with options it takes."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cs_pipeline.cli import app
from cs_pipeline.cli.command_group import PROGRAM, command_paths
from tests.cli.commands_page import MARK, PAGE, all_commands

ROOT = Path(__file__).parents[2]
TEXTS = ("*.md", "*.py", "*.sql", "*.yml", "*.yaml", "*.j2", "Makefile")
TOP = get_command(app)
assert isinstance(TOP, TyperGroup)
PATHS: dict[str, Any] = dict(command_paths(TOP))
ENDS = ("#", "&&", "|", ";", ">", "2>", "→", "…")
"""What ends a command in a line of the shell, or stands for what may follow."""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *TEXTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if name not in NAMES_WRONG_COMMANDS]


NAMES_WRONG_COMMANDS = {"tests/cli/test_command_group.py", "tests/cli/test_mentions_of_commands.py"}


def mentions(text: str) -> Iterator[str]:
    """The commands a text names: in backticks (also over two lines), and in lines of a shell block."""
    for found in re.finditer(rf"`(?:\S*/)?{PROGRAM}\s([^`]+)`", text):
        yield " ".join(re.sub(r"\"\s*\n\s*f?\"", "", found[1]).split())
    for found in re.finditer(rf"(?:Example:|\[bold\])\s*{PROGRAM} ([^\n\[]+)", text):
        yield found[1]
    for block in re.findall(r"^```(?:bash|sh|shell|console)?\n(.*?)^```", text, re.S | re.M):
        for found in re.finditer(rf"(?:^|[\s(/]){PROGRAM} ([^)\n]+)", block):
            yield found[1]


def words_of(mention: str) -> list[str]:
    """The words that belong to the command; those in quotes are one word."""
    found = re.findall(r"\"[^\"]*\"|'[^']*'|\S+", mention)
    ends = next((place for place, word in enumerate(found) if word.startswith(ENDS)), len(found))
    return found[:ends]


def problem(mention: str) -> str | None:
    """What is wrong with it; None where the command exists and takes those options and as many arguments."""
    command, words = TOP, words_of(mention)
    path: list[str] = []
    while words and isinstance(command, TyperGroup) and not words[0].startswith(("-", "{", "FOLDER")):
        if words[0] not in command.commands:
            return f"there is no command {' '.join([*path, words[0]])}"
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    takes = {name: option for option in command.params for name in (*option.opts, *option.secondary_opts)}
    takes |= dict.fromkeys(("--help", "--install-completion", "--show-completion"))
    options = [word.strip("[]").split("=")[0] for word in words if word.strip("[]").startswith("--")]
    unknown = [option for option in options if option not in takes]
    return f"`{' '.join(path)}` takes no {', '.join(unknown)}" if unknown else None


def test_every_command_that_is_named_exists() -> None:
    named = [(path, mention) for path in tracked() for mention in mentions(path.read_text(encoding="utf-8"))]
    wrong = [f"{path.relative_to(ROOT)}: {mention}: {said}" for path, mention in named if (said := problem(mention))]
    assert wrong == []


def test_the_docs_name_commands_at_all() -> None:
    named = {name for path in (ROOT / "docs").glob("*.md") for name in mentions(path.read_text(encoding="utf-8"))}
    assert len(named) > 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run `cs-pipeline play simulate red_save --from 2025-01-06` first", None),
        ("run `cs-pipeline\nplay list` first", None),
        ("```\ncs-pipeline down && cs-pipeline up  # again\n```\n", None),
        ("run `cs-pipeline replay red_save` first", "there is no command replay"),
        ("run `cs-pipeline play replay` first", "there is no command play replay"),
        ("```bash\ncs-pipeline score late --since 2025-01-06\n```\n", "`score late` takes no --since"),
        ("run `cs-pipeline why ACCOUNT [--month 2025-06]`", "`why` takes no --month"),
    ],
)
def test_a_wrong_mention_is_found(text: str, said: str | None) -> None:
    assert [problem(mention) for mention in mentions(text)][-1] == said


def test_the_page_of_commands_says_what_the_app_says() -> None:
    """Where it does not: `python -m tests.cli.commands_page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip() == all_commands().strip()
