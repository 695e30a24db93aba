"""Print every list in one way: a table for people, or with --json a list of objects for programs.

JSON goes to stdout and nothing else does: progress, errors and warnings go to stderr, and exit codes are the same.
"""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cs_pipeline.cli.console import console, print_frame

if TYPE_CHECKING:
    import pandas as pd

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead, a list of objects, for jq and the like.")]


def print_list(rows: "pd.DataFrame", as_json: bool, empty: str) -> None:
    """Print all rows as a table, or as JSON. Without rows print the sentence `empty`, or an empty list."""
    if as_json:
        print_json(rows)
    elif rows.empty:
        console.print(empty)
    else:
        print_frame(rows)


def print_json(value: object) -> None:
    """Print a table (a list of objects, one a row) or anything else that `as_plain` takes."""
    print(json.dumps(as_plain(value), indent=2, allow_nan=False))  # noqa: T201 - for a program, not for a person


def as_plain(value: Any) -> Any:
    """The value as JSON has it: days and moments in ISO 8601, null for what is missing, dataclasses as objects."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return [as_plain(row) for row in value.to_dict("records")]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(each) for name, each in value.items()}
    if isinstance(value, (str, bool)) or value is None:
        return value
    if (plain := getattr(value, "tolist", None)) is not None:  # numpy: an array, or a number
        return as_plain(plain())
    if isinstance(value, Iterable):
        return [as_plain(each) for each in value]
    if value is pd.NaT or value is pd.NA:
        return None
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
