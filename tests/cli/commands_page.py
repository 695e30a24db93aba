"""The list of all commands in docs/commands.md: `python -m tests.cli.commands_page` writes it from the app."""

from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from cs_pipeline.cli import app
from cs_pipeline.cli.command_group import PROGRAM

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
MARK = "<!-- Written from the app by `python -m tests.cli.commands_page`; below here nothing is written by hand. -->\n"


def all_commands() -> str:
    """The commands at the top, then those of each group: how each is called, and its first sentence of help."""
    top = get_command(app)
    assert isinstance(top, TyperGroup)
    groups = {name: each for name, each in top.commands.items() if isinstance(each, TyperGroup)}
    parts = [_table({name: each for name, each in top.commands.items() if name not in groups})]
    for name, group in groups.items():
        parts.append(f"### {name}\n\n{group.help}\n")
        parts.append(_table({f"{name} {command}": each for command, each in group.commands.items()}))
    return "\n".join(parts)


def _table(commands: dict[str, Any]) -> str:
    lines = ["| command | what it does |", "|---|---|"]
    for path, command in commands.items():
        arguments = [_argument(each) for each in command.params if each.param_type_name == "argument"]
        required = [
            f"{each.opts[0]} …" for each in command.params if each.param_type_name == "option" and each.required
        ]
        usage = " ".join([PROGRAM, path, *arguments, *required])
        lines.append(f"| `{usage}` | {command.help.splitlines()[0]} |")
    return "\n".join(lines) + "\n"


def _argument(argument: Any) -> str:
    named = (argument.metavar or argument.name).strip("[]").upper() + ("..." if argument.nargs == -1 else "")
    return named if argument.required else f"[{named}]"


if __name__ == "__main__":
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(before + mark + "\n" + all_commands(), encoding="utf-8")
