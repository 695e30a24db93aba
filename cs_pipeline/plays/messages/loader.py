"""Find and read template files: where they lie, their front matter, and YAML whose texts keep their line.

Nothing here knows what a template says or how it is rendered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cs_pipeline.channels.registry import KINDS, Form
from cs_pipeline.plays.messages.environment import TemplateError

SHIPPED = Path(__file__).parent / "templates"
CONFIG_FOLDER = "templates"
SUFFIXES: Mapping[Form, str] = {"mail": ".mjml.j2", "blocks": ".yaml.j2", "record": ".txt.j2", "text": ".txt.j2"}
FENCE = "---"


@dataclass(frozen=True)
class Piece:
    """A text of a file that starts at `line` (from 1)."""

    text: str
    line: int


Tree = Mapping[str, "Tree"] | list["Tree"] | Piece


def folders(config: Path | None) -> list[Path]:
    """Where templates are looked for, first found first: the team's folder, then the shipped one."""
    return [*([config / CONFIG_FOLDER] if config is not None else []), SHIPPED]


def find(config: Path | None, channel: str, name: str) -> Path:
    """The file of a template. Raises TemplateError that says where it was looked for."""
    candidates = [folder / channel / (name + SUFFIXES[KINDS[channel].form]) for folder in folders(config)]
    for path in candidates:
        if path.is_file():
            return path
    raise TemplateError(f"there is no template {name} for {channel}: expected {' or '.join(map(str, candidates))}")


def read(path: Path) -> str:
    """The text of a file. Raises TemplateError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from None


def with_front_matter(path: Path, fields: tuple[str, ...]) -> tuple[dict[str, Piece], Piece]:
    """The `fields` between two lines of three dashes, all of them, and the body below. Raises TemplateError."""
    lines = read(path).splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.rstrip() == FENCE]
    if len(fences) < 2 or fences[0] != 0:
        raise TemplateError(f"{path}:1: expected {FENCE}, the fields {', '.join(fields)}, and {FENCE} before the body")
    front = _tree(path, "".join(lines[: fences[1]]))
    if not isinstance(front, dict) or set(front) != set(fields):
        raise TemplateError(f"{path}:1: expected exactly the fields {', '.join(fields)} before the body")
    texts = {name: value for name, value in front.items() if isinstance(value, Piece)}
    if wrong := sorted(set(fields) - set(texts)):
        raise TemplateError(f"{path}:1: {wrong[0]}: expected a text")
    start = fences[1] + 1
    return texts, Piece("".join(lines[start:]), start + 1)


def as_tree(path: Path) -> Tree:
    """A YAML file as mappings, lists and texts with their lines. Raises TemplateError."""
    return _tree(path, read(path))


def _tree(path: Path, text: str) -> Tree:
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TemplateError(f"{path}:{mark.line + 1 if mark else 1}: is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if node is None:
        raise TemplateError(f"{path}: is empty")
    return _branch(node)


def _branch(node: yaml.Node) -> Tree:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _branch(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_branch(each) for each in node.value]
    starts_below = getattr(node, "style", None) in ("|", ">")
    return Piece(str(node.value), node.start_mark.line + 1 + starts_below)
