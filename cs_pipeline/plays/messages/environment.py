"""Define the language of templates: sandboxed Jinja in which an unknown or missing value is an error.

The environments for HTML, a channel's markup and plain text belong here, how values are shown in words, and what an
error says. Where templates lie is in `loader`, what a message is made of in `renderer`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from cs_pipeline.channels.block_layout import BlockLayout
from cs_pipeline.errors import UserError

TWO_FULL_STOPS = re.compile(r"(?<=[^\W\d_])\.\.(?=[\s<]|$)")
"""Where a name that ends with a full stop ends a sentence, as `Acme Inc.` does. An ellipsis has three."""

LONGEST_TEXT = 300
JOINERS = "\u200c\u200d"  # between the letters of some scripts, and in emoji


class TemplateError(UserError):
    """A template that cannot be used: its file, line and variable."""


class _MissingValue(Exception):
    """A fact that is missing for this account was to be printed."""


class Template:
    """A compiled piece of a template file that starts at `line` (from 1) of it."""

    def __init__(self, environment: jinja2.Environment, source: str, path: Path, line: int = 1) -> None:
        self._environment = environment
        self._path = path
        # Leading empty lines give the compiled code, and so its errors, the line numbers of the file.
        self._source = "\n" * (line - 1) + source
        try:
            self._tree = environment.parse(self._source, path.name, str(path))
            code = environment.compile(self._source, path.name, str(path))
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.filename or path}:{error.lineno}: {error.message}") from None
        self._template = jinja2.Template.from_code(environment, code, environment.make_globals(None))

    def check_names(self, known: Sequence[str]) -> None:
        """Raises TemplateError for the first variable that is not in `known`, also in branches never taken."""
        # What a template defines at its top, Jinja does not count as defined inside its blocks.
        unknown = meta.find_undeclared_variables(self._tree) - set(known) - set(_defined(self._tree))
        places = [(node.lineno, node.name) for node in self._tree.find_all(nodes.Name) if node.name in unknown]
        if places:
            line, name = min(places)
            raise TemplateError(f"{self._path}:{line}: {_unknown(name, known)}")

    def render(self, values: Mapping[str, object]) -> str:
        """The text it makes of `values`. Raises TemplateError with file, line and variable."""
        try:
            shown = values if self._names is None else {name: values[name] for name in self._names if name in values}
            text = self._template.render(shown).lstrip("\n")
        except Exception as error:  # whatever an expression raises is a fault of the template
            path, line = _place(error) or (self._path, 1)
            raise TemplateError(f"{path}:{line}: {self._words(error, path, line, values)}") from None
        return TWO_FULL_STOPS.sub(".", text) if ".." in text else text

    @cached_property
    def _names(self) -> frozenset[str] | None:
        """What it may show, with the files it is laid out with; None where only they can say."""
        try:
            return _names_in(self._environment, self._tree)
        except jinja2.TemplateError:
            return None

    def _words(self, error: Exception, path: Path, line: int, values: Mapping[str, object]) -> str:
        if isinstance(error, _MissingValue):
            names = [name for name in _names_on_line(self._environment, path, line) if is_missing(values.get(name))]
            what = ", ".join(f"'{name}'" for name in names) or "a value"
            return f"{what} is missing for this account; print it inside {{% if … is not none %}}, or say it otherwise"
        if isinstance(error, jinja2.UndefinedError):
            return _undefined(str(error.message), list(values))
        return " ".join(str(error).split()) or type(error).__name__


def html_environment(folders: Sequence[Path], currency: str) -> jinja2.Environment:
    """For mail: `&`, `<`, `>` and quotes in values come out as entities."""
    return _environment(folders, currency, autoescape=True, finalize=_finalized)


def text_environment(folders: Sequence[Path], currency: str) -> jinja2.Environment:
    """For subjects, tasks and plain text: values come out as they are."""
    return _environment(folders, currency, autoescape=False, finalize=_finalized)


def markup_environment(folders: Sequence[Path], currency: str, layout: BlockLayout) -> jinja2.Environment:
    """For the markup of `layout`: nothing in a value is read as formatting, a link or a mention."""

    def escaped(value: object) -> str:
        text = _finalized(value)
        return text if isinstance(value, Markup) else layout.escape(text)

    environment = _environment(folders, currency, autoescape=False, finalize=escaped)
    environment.filters["link"] = lambda text, url: Markup(layout.link(str(_given(text)), str(_given(url))))
    return environment


def is_missing(value: object) -> bool:
    """True for None, NaN and their kin."""
    return value is None or value != value


def clean(value: object) -> object:
    """A fact as templates get it: missing is None; text is one line, without control or direction-changing signs."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value.encode("utf-8", "ignore").decode())
        if not text.isprintable():  # nearly every text is
            text = "".join(" " if sign.isspace() else sign for sign in text if sign.isspace() or _is_printable(sign))
        line = " ".join(text.split())
        return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1].rstrip() + "…"
    return None if is_missing(value) else value


def in_words(value: object) -> str:
    """A value as a reader expects it: 12,345, 62.5, 6 January 2026, yes."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,.1f}".removesuffix(".0").replace("-", "−")
        case date():
            return f"{value.day} {value:%B %Y}"
        case _:
            return str(value)


def _is_printable(sign: str) -> bool:
    return sign in JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _finalized(value: object) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, as StrictUndefined does
    if is_missing(value):
        raise _MissingValue
    return value if isinstance(value, str) else in_words(value)


def _environment(folders: Sequence[Path], currency: str, **options: Any) -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else each message asks the disk anew for every file it is laid out with
        **options,
    )
    environment.globals.clear()
    environment.filters.update(
        money=lambda value: currency + in_words(round(_number(value))),
        percent=lambda value: f"{in_words(round(100 * _number(value)))}%",
        words=lambda value: str(_given(value)).replace("_", " "),
        count=lambda value, one, many=None: f"{in_words(value)} {one if value == 1 else many or one + 's'}",
    )
    return environment


def _given(value: object) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)
    if is_missing(value):
        raise _MissingValue
    return value


def _number(value: object) -> float:
    given = _given(value)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"expected a number, got {type(given).__name__}")
    return given


def _names_in(environment: jinja2.Environment, tree: nodes.Template) -> frozenset[str] | None:
    found = meta.find_undeclared_variables(tree)
    for name in meta.find_referenced_templates(tree):
        names = None if name is None else _names_of(environment, name)
        if names is None:
            return None
        found |= names
    return frozenset(found)


@lru_cache(maxsize=256)
def _names_of(environment: jinja2.Environment, name: str) -> frozenset[str] | None:
    assert environment.loader is not None
    source, path, _ = environment.loader.get_source(environment, name)
    return _names_in(environment, environment.parse(source, name, path))


def _place(error: BaseException) -> tuple[Path, int] | None:
    """The innermost line of a template file in the traceback."""
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(".j2"):
            found = Path(traceback.tb_frame.f_code.co_filename), traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def _defined(tree: nodes.Template) -> Iterator[str]:
    """Names that a template imports, sets or defines as macros."""
    for node in tree.find_all((nodes.FromImport, nodes.Import, nodes.Macro, nodes.Assign)):
        match node:
            case nodes.FromImport():
                yield from (name if isinstance(name, str) else name[1] for name in node.names)
            case nodes.Import():
                yield node.target
            case nodes.Macro():
                yield node.name
            case nodes.Assign():
                yield from (target.name for target in node.target.find_all(nodes.Name))
                if isinstance(node.target, nodes.Name):
                    yield node.target.name


def _names_on_line(environment: jinja2.Environment, path: Path, line: int) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8").splitlines()[line - 1]
        yield from sorted(meta.find_undeclared_variables(environment.parse(text)))
    except (OSError, IndexError, jinja2.TemplateSyntaxError):
        return


def _unknown(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"'{name}' is not known here" + (f"; did you mean {close[0]}?" if close else "")


def _undefined(message: str, known: Sequence[str]) -> str:
    name = message.split("'")[1] if message.count("'") >= 2 and message.endswith("is undefined") else None
    return message if name is None else _unknown(name, known)
