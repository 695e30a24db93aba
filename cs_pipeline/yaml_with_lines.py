"""YAML files checked by pydantic models, with every complaint at its file, line and field.

Here belongs what score models, playbooks and other YAML of a team share: reading with line numbers, and
turning validation errors into sentences. What a field means belongs to the room whose file it is.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import require_text_file

MOST_BYTES = 500_000
MOST_VALUES = 50_000
MOST_LEVELS = 40
MOST_WORDS = 500  # characters of one complaint
MOST_PROBLEMS = 50
LARGEST_NUMBER = 2**63 - 1
_TOO_DEEP = f"is nested more than {MOST_LEVELS} levels deep"

M = TypeVar("M", bound=BaseModel)

Loc = Sequence[str | int]
"""Way to a value: keys and list positions from the top of the file, as pydantic's `loc`."""

LineOf = Callable[[Loc], int]
"""Line (from 1) of a value, or of the nearest value above it that the file holds."""


class Problem(NamedTuple):
    """One thing that is wrong in a file: the way to the value, and what was expected."""

    where: Loc
    message: str


class InvalidFile(UserError):
    """A YAML file that cannot be used; each line of the message is `file:line: field: what was expected`."""


def read_yaml(path: Path) -> tuple[object, LineOf]:
    """The content of a YAML file (plain dicts, lists and scalars), and where each value stands in it.

    Raises InvalidFile when the file is missing, unreadable, no file, not UTF-8, empty, not YAML, repeats a key, or
    passes a bound: of bytes, of values (aliases written out), of depth, of numbers.
    """
    try:
        require_text_file(path, MOST_BYTES)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidFile(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise InvalidFile(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise InvalidFile(f"{path}: cannot be read: {error.strerror}") from None
    except UserError as error:
        raise InvalidFile(str(error)) from None
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidFile(
            f"{path}:{line}: holds a character that YAML does not allow (U+{error.character:04X})"
        ) from None
    try:
        node = loader.get_single_node()
        if node is None:
            raise InvalidFile(f"{path}: is empty")
        _refuse_what_grows(path, node)
        _refuse_repeated_keys(path, node)
        _refuse_impossible_values(path, loader, node)
        return loader.construct_document(node), lambda where: _line(node, where)
    except RecursionError:
        raise InvalidFile(f"{path}: {_TOO_DEEP}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{mark.line + 1}:{mark.column + 1}" if mark else "1"
        raise InvalidFile(f"{path}:{at}: is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InvalidFile(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    finally:
        loader.dispose()


def validate(
    model: type[M],
    path: Path,
    check: Callable[[M], Iterable[Problem]] | None = None,
    fill_in: Callable[[dict[Any, Any]], dict[Any, Any]] | None = None,
) -> M:
    """The file as a `model`; `check` then yields what only the whole of it can tell.

    `fill_in` adds what stands elsewhere to the file's content before it is checked.

    Raises InvalidFile with every problem at once: pydantic's, or when it has none, those of `check`.
    """
    data, line_of = read_yaml(path)
    if not isinstance(data, dict):
        raise InvalidFile(f"{path}:1: expected fields with values, got {_shown(data)}")
    try:
        value = model.model_validate(fill_in(data) if fill_in else data)
    except ValidationError as error:
        problems = [
            Problem(details["loc"], words_of(model, details))
            for details in error.errors(include_url=False, include_context=True)
        ]
        raise invalid(path, line_of, problems) from None
    problems = list(check(value)) if check else []
    if problems:
        raise invalid(path, line_of, problems)
    return value


def invalid(path: Path, line_of: LineOf, problems: Iterable[Problem]) -> InvalidFile:
    """The error that lists `problems` in the order of the file."""
    found = sorted({(line_of(where), _field(where), message) for where, message in problems})
    lines = [f"{path}:{line}: {_cut(f'{field}: ' * bool(field) + message)}" for line, field, message in found]
    beyond = len(lines) - MOST_PROBLEMS
    return InvalidFile("\n".join([*lines[:MOST_PROBLEMS], *([f"{path}: and {beyond:,} more"] if beyond > 0 else [])]))


def _cut(message: str) -> str:
    return message if len(message) <= MOST_WORDS else f"{message[: MOST_WORDS - 1]}…"


def _line(node: yaml.Node, where: Loc) -> int:
    line = node.start_mark.line
    for part in where:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if entry is None:
                continue  # a missing field, or a name that pydantic puts into loc for a union
            line, node = entry[0].start_mark.line, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1


def _nodes(top: yaml.Node) -> Iterator[yaml.Node]:
    """Every node once; one that has an anchor is reached from each of its aliases as well."""
    seen: set[int] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting.extend(_below(node))


def _refuse_what_grows(path: Path, top: yaml.Node) -> None:
    """A file whose values are too many once its aliases are written out, that holds itself, or that is too deep.

    A kilobyte of aliases of aliases stands for billions of values, each of which somebody would check.
    """
    written_out: dict[int, tuple[int, int]] = {}  # by node: values, and levels below it
    begun: set[int] = set()
    waiting = [top]
    while waiting:
        node = waiting[-1]
        if id(node) in written_out:
            waiting.pop()
            continue
        below = _below(node)
        line = node.start_mark.line + 1
        if id(node) not in begun:
            begun.add(id(node))
            waiting.extend(child for child in below if id(child) not in written_out)
            if any(id(child) in begun and id(child) not in written_out for child in below):
                raise InvalidFile(f"{path}:{line}: holds an alias of what it stands in; write the value out")
            continue
        waiting.pop()
        values = 1 + sum(written_out[id(child)][0] for child in below)
        depth = 1 + max((written_out[id(child)][1] for child in below), default=0)
        if values > MOST_VALUES:
            raise InvalidFile(f"{path}:{line}: holds more than {MOST_VALUES:,} values once its aliases are written out")
        if depth > MOST_LEVELS:
            raise InvalidFile(f"{path}:{line}: {_TOO_DEEP}")
        written_out[id(node)] = (values, depth)


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return []


def _refuse_repeated_keys(path: Path, top: yaml.Node) -> None:
    for node in _nodes(top):
        if not isinstance(node, yaml.MappingNode):
            continue
        first: dict[Hashable, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InvalidFile(f"{path}:{line}: the name of a field is text, not a list or fields of its own")
            if key.value in first and key.tag != "tag:yaml.org,2002:merge":
                before = f"line {first[key.value]} has it already"
                raise InvalidFile(f"{path}:{line}: {key.value}: is repeated; {before}")
            first.setdefault(key.value, line)


def _refuse_impossible_values(path: Path, loader: yaml.SafeLoader, top: yaml.Node) -> None:
    """What looks like a date or a number and is none, such as 2025-13-45, which the library stumbles over; and numbers
    that it reads otherwise than people do (12:30 is 750, to base 60) or that no column can hold.
    """
    for node in _nodes(top):
        if not isinstance(node, yaml.ScalarNode):
            continue
        try:
            problem = _problem_of_number(node, loader.construct_object(node))
        except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
            said = str(error) if isinstance(error, ValueError) and len(node.value) < 100 else "it cannot be read"
            problem = f"is not a value: {said}"
        if problem:
            line, words = node.start_mark.line + 1, f"{node.value[:40]!r} {problem}"
            raise InvalidFile(f"{path}:{line}: {words}; put it into quotes if it is text") from None


def _problem_of_number(node: yaml.ScalarNode, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if ":" in node.value:
        return "is read as a number to the base 60"
    if isinstance(value, int):
        return "is too large a number" if abs(value) > LARGEST_NUMBER else None
    return None if math.isfinite(value) else "is not a finite number"


def words_of(model: type[BaseModel], details: ErrorDetails) -> str:
    """What is wrong, by pydantic's account of it, in words that say what was expected."""
    kind, message, given = details["type"], details["msg"], details["input"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        name, names = str(details["loc"][-1]), _fields_at(model, details["loc"][:-1])
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(names)}"
        return f"is not a field here; {hint}"
    if kind in ("value_error", "assertion_error"):
        return message.partition(", ")[2]
    expected = message.removeprefix("Input should be ").partition(", unable")[0]
    return message if expected == message else f"expected {expected}, got {_shown(given)}"


def _fields_at(annotation: object, where: Loc) -> list[str]:
    """Names of the fields that the model at `where` has."""
    models = list(_models(annotation))
    for part in where:
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        if inner:
            models = [found for each in inner for found in _models(each)]
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    arguments = get_args(annotation)
    for argument in arguments[:1] if get_origin(annotation) is Annotated else arguments:
        if argument is not NoneType:
            yield from _models(argument)


def _field(where: Loc) -> str:
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
