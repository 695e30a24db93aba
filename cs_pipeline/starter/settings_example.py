"""All settings as lines of a file of variables, each with its sentence, none of them set."""

import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from pydantic.fields import FieldInfo

from cs_pipeline.settings import PREFIX, Settings


def commented_settings() -> Iterator[str]:
    """A paragraph a setting: what it is, and the line that sets it, behind a #."""
    for name, field in Settings.model_fields.items():
        said = comment((field.description or "") + choices_of(field))
        yield f"{said}\n#{PREFIX}{name.upper()}={default_of(field)}"


def comment(words: str) -> str:
    """The words as lines of a comment."""
    return textwrap.fill(words, 118, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def default_of(field: FieldInfo) -> str:
    """What holds unless it is set, as it would be written; empty for none."""
    value: Any = field.default
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def choices_of(field: FieldInfo) -> str:
    """A sentence of what it may be, where that is a list."""
    choices = [each for each in get_args(field.annotation) if isinstance(each, str)]
    return f" One of: {', '.join(choices)}." if choices else ""
