"""Read a landed column as the type that a template expects: which cast that takes, and whether it takes one."""

EPOCH = "epoch"
"""A moment that some tools land as text of seconds since 1970."""

_WORDS = ("text", "character varying", "character", "name", "USER-DEFINED")
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_SAME = {"timestamptz": ("timestamp with time zone",), "text": _WORDS, "numeric": _NUMBERS, "boolean": ("boolean",)}


def read_as(expression: str, kind: str, wanted: str) -> str:
    """SQL that yields `expression`, a name or a path into jsonb of type `kind`, as `wanted`: text, numeric, boolean,
    timestamptz, jsonb or EPOCH.

    Moments without a zone are UTC, as every ELT tool writes them; numbers for moments are seconds since 1970.
    """
    if kind == wanted or kind in _SAME.get(wanted, ()):
        return expression
    if kind == "timestamp without time zone" and wanted == "timestamptz":
        return f"{expression} at time zone 'UTC'"
    if kind in _NUMBERS and wanted == "timestamptz":
        return f"to_timestamp({expression})"
    if kind in _NUMBERS and wanted == "boolean":
        return f"({expression} <> 0)"
    if kind in _WORDS and wanted == EPOCH:
        return f"to_timestamp(nullif(btrim({expression}), '')::numeric)"
    if wanted == EPOCH:
        return read_as(expression, kind, "timestamptz")
    if kind in _WORDS and wanted != "text":
        return f"nullif(btrim({expression}), '')::{wanted}"
    return f"{expression}::{wanted}"
