"""Groups of commands: suggest the one that was meant when somebody types one that does not exist."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

import typer
from typer.core import TyperGroup

PROGRAM = "cs-pipeline"
ALIKE = 0.7  # the least likeness of a command that is suggested, 0 to 1
MOST_SUGGESTED = 3


class CommandGroup(TyperGroup):
    """A group that suggests full commands, of other groups too: `approve` means `cs-pipeline action approve`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, without the rarer of those that typer adds: the help of all commands is to fit a screen."""
        found = super().get_params(ctx)
        for each in found:
            if each.name == "show_completion":
                each.hidden = True  # pyright: ignore
        return found

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of that name. Fails with a suggestion where there is none."""
        typed = args[0]
        if self.get_command(ctx, typed) is None and not typed.startswith("-") and not ctx.resilient_parsing:
            root = ctx.find_root()
            before = ctx.command_path.removeprefix(root.command_path).split()
            meant = " or ".join(f"`{PROGRAM} {path}`" for path in suggestions(root.command, [*before, *args]))
            told = f"Did you mean {meant}?" if meant else f"`{ctx.command_path} --help` lists the commands."
            ctx.fail(f"No such command {' '.join([*before, typed])!r}. {told}")
        return super().resolve_command(ctx, args)


def new_group(summary: str) -> typer.Typer:
    """An empty group of commands; `summary` is its one sentence of help."""
    return typer.Typer(cls=CommandGroup, help=summary, no_args_is_help=True, rich_markup_mode="rich")


def command_paths(group: TyperGroup, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command and group below `group` with its full path, such as ("play simulate", the command)."""
    for name, command in group.commands.items():
        path = f"{before} {name}".strip()
        yield path, command
        if isinstance(command, TyperGroup):
            yield from command_paths(command, path)


def suggestions(root: TyperGroup, typed: list[str]) -> list[str]:
    """The paths that are most like what was typed (its groups, the unknown word, what follows it), best first."""
    there = " ".join(typed)
    likeness = {path: _likeness(path, typed) for path, _ in command_paths(root) if not there.startswith(f"{path} ")}
    best = sorted(likeness, key=lambda path: likeness[path], reverse=True)[:MOST_SUGGESTED]
    return [path for path in best if likeness[path] >= max(ALIKE, likeness[best[0]] - 0.1)]


def _likeness(path: str, typed: list[str]) -> float:
    """How much of `path` was typed: in full, in another order as in `why-action`, or only its last word."""
    words = path.split()
    unknown = " ".join(typed[: len(words)])
    return max(
        _ratio(path, unknown),
        _ratio(" ".join(sorted(words)), " ".join(sorted(typed[0].replace("_", "-").split("-")))),
        _ratio(words[-1], typed[min(len(typed), 2) - 1]) - 0.01,
        _ratio(words[-1], typed[0]) - 0.01,
    )


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
