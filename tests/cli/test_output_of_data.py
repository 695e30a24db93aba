"""What others wrote is printed as it is: markup in it is no markup, and control signs never reach the terminal."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rich.panel import Panel
from rich.text import Text

from cs_pipeline.cli import console
from cs_pipeline.cli.console import SafeConsole, marked, print_frame, say_done, say_heading, table
from cs_pipeline.warehouse.connection import Warehouse
from tests.command_line import run_command

MARKUP = "[/x] [bold]b[/bold] \\[y] [red"
ESCAPES = "A\x1b[2J\x1b]0;owned\x07B\u202egnp.exe\u202c\x9b31m\x7f"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Run:
    """Runs a command as the shell would; its exit code, and what it said."""
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path / "home"))

    def call(*arguments: str) -> tuple[int, str]:
        return run_command(monkeypatch, capsys, *arguments)

    return call


def printed(write: Callable[[SafeConsole], None], *, terminal: bool = False) -> str:
    stream = io.StringIO()
    write(SafeConsole(file=stream, markup=False, highlight=False, width=200, force_terminal=terminal))
    return stream.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_control_characters_are_written_out_and_never_sent(terminal: bool) -> None:
    def write(to: SafeConsole) -> None:
        drawn = table(ESCAPES)
        drawn.add_row(ESCAPES)
        drawn.add_row(Text(ESCAPES, style="bold"))
        for thing in (ESCAPES, Text(ESCAPES, style="red"), drawn, Panel(Text(ESCAPES)), marked("[bold]{}[/]", ESCAPES)):
            to.print(thing)

    told = printed(write, terminal=terminal)
    ours = re.sub(r"\x1b\[[0-9;]*m", "", told)
    for sign in "\x1b\x07\u202e\u202c\x9b\x7f":
        assert sign not in ours
    assert ours.count("\\x1b[2J") == 7
    assert ours.count("\\u202egnp.exe") >= 4  # narrow cells are broken over lines


def test_scripts_that_need_joining_and_direction_marks_are_left_alone() -> None:
    words = "نمی‌خواهم שלום\u200f 👩‍👩‍👧 Zürich 你好"
    assert words in printed(lambda to: to.print(Text(words)))


def test_markup_in_data_is_shown_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(to: SafeConsole) -> None:
        monkeypatch.setattr(console, "console", to)
        say_done(MARKUP)
        say_heading(MARKUP, MARKUP)
        print_frame(pd.DataFrame({MARKUP: [MARKUP]}))
        to.print(marked("[bold]{}[/] and [red]{}[/]", MARKUP, MARKUP))
        drawn = table("reason")
        drawn.add_row(MARKUP)
        to.print(drawn)
        to.print(f"{MARKUP} is stopped")

    assert printed(write).count(MARKUP) == 9


@pytest.mark.parametrize("name", [MARKUP, ESCAPES, "[", "]", "[/]", "[red]", "\\"])
def test_a_stop_of_any_name_for_any_reason_is_told_by_doctor_and_undone(run: Run, name: str) -> None:
    shown = "\\x1b[2J" if name == ESCAPES else name
    code, said = run("play", "stop", "account", name, "--reason", f"because of {name}")
    assert (code, shown in said) == (0, True)
    code, said = run("doctor")
    assert shown in said
    assert "kill switch" in said
    assert run("play", "resume", "account", name)[0] == 0
    assert "kill switch" not in run("doctor")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("why", MARKUP),
        ("play", "progress", MARKUP),
        ("play", "progress", "--playbook", MARKUP),
        ("queue", "--owner", MARKUP),
        ("task", "list", "--assignee", MARKUP),
        ("data", "rejects", "--table", MARKUP),
        ("play", "stop", MARKUP, "x", "--reason", MARKUP),
        ("play", "resume", "account", MARKUP),
        ("play", "start", MARKUP, "a"),
        ("play", "show", MARKUP),
        ("play", "preview", MARKUP, MARKUP),
        ("play", "simulate", MARKUP),
        ("play", "release", MARKUP),
        ("play", "dismiss", MARKUP),
        ("play", "uplift", MARKUP),
        ("score", "override", MARKUP, "--withdraw"),
        ("person", "erase", MARKUP, "--yes"),
        ("action", "approve", "1", "--by", MARKUP),
        ("load", MARKUP),
        ("model", "diff", MARKUP),
        ("model", "backtest", MARKUP),
        ("model", "tune", MARKUP),
        (MARKUP,),
        ("why", ESCAPES),
        ("load", ESCAPES),
        ("play", "stop", ESCAPES, "x", "--reason", "y"),
        (ESCAPES,),
    ],
)
def test_no_argument_breaks_what_a_command_says(run: Run, arguments: tuple[str, ...]) -> None:
    _, said = run(*arguments)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert said


def test_nothing_of_ours_prints_markup() -> None:
    for path in Path(console.__file__).parent.rglob("*.py"):
        outside = re.sub(r"marked\([^\n]*", "", path.read_text(encoding="utf-8"))
        if path.name != "console.py":
            assert not re.search(r"\[/(\w*)\](?!\w)|\[(bold|dim|red|green|yellow)\]", outside), path.name


HUGE = "9" * 25
NO_TEXT = "x\udcff"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("action", "approve", HUGE), "A number is larger"),
        (("action", "captured", "--limit", HUGE), "A number is larger"),
        (("action", "list", "--limit", HUGE), "A number is larger"),
        (("play", "stop", "account", NO_TEXT, "--reason", "x"), "no UTF-8 text"),
        (("why", NO_TEXT), "no UTF-8 text"),
        (("person", "erase", NO_TEXT, "--yes"), "no UTF-8 text"),
        (
            ("score", "reproduce", "--from", "9999-12-27", "--to", "9999-12-27", "--as-known-at", "9999-12-31"),
            "lies too far away",
        ),
    ],
)
def test_an_argument_beyond_all_bounds_is_a_sentence(run: Run, arguments: tuple[str, ...], words: str) -> None:
    code, said = run(*arguments)
    assert code == 1
    assert words in said
    assert len(said.strip().splitlines()) == 1
