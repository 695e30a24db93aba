"""The rules of the source contract as SQL over a table of incoming rows. Files and mappings share them.

An incoming column is text (files) or already of the contract's type (mappings); anything else a mapping yields is
cast to text first. Every rule is an expression that is true for a row that breaks it, and is only asked when the rules
before it hold, so that a rule may rely on them: text is a number before its minimum is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

from cs_pipeline.warehouse.contract import Column, SourceTable

MAX_KEY_BYTES = 500  # a B-tree entry holds 2,700, and a key has three columns at most
REPEATED_KEY = "repeats the key of an earlier row"

_ISO_TIMESTAMP = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?( ?([zZ]|[+-][0-9]{2}(:?[0-9]{2})?))?)?$"
)
_WHOLE_NUMBER = "^[+-]?[0-9]+([.]0*)?$"
_MIDNIGHT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]00:00(:00([.]0{1,9})?)?([zZ]|[+]00(:?00)?)?)?$"
_FINITE = "'-1.7976931348623157e308'::double precision and '1.7976931348623157e308'::double precision"  # nor NaN
_TRUTHS = ("true", "false", "t", "f", "yes", "no", "1", "0")
_EMAIL = r"^[^@[:space:]<>,;]+@[^@[:space:]<>,;]+[.][^@[:space:]<>,;]+$"


@dataclass(frozen=True)
class Rule:
    """`is_broken`: SQL over the alias `incoming`; `join`: what it needs beside it."""

    column: str
    reason: str
    is_broken: str
    join: str = ""


def rules(table: SourceTable, types: Mapping[str, str], is_valid: str) -> list[Rule]:
    """The rules for rows with columns of these `types`, in the order in which they are asked.

    `is_valid`: the SQL function that tells whether a text is a value of a type.
    """
    return [rule for name, kind in types.items() for rule in _rules(table, table.column(name), kind, is_valid)]


def typed(column: Column, kind: str) -> str:
    """The incoming value as the contract's type; safe for rows that break no rule."""
    value = f"incoming.{column.name}"
    if kind == column.data_type:
        return value
    match column.data_type:
        case "integer":
            return f"split_part({value}, '.', 1)::integer"
        case "date":
            return f"left({value}, 10)::date"
        case _:
            return f"{value}::{column.data_type}"


def _rules(table: SourceTable, column: Column, kind: str, is_valid: str) -> Iterator[Rule]:
    value, name = f"incoming.{column.name}", column.name
    if column.required:
        blank = f" or (ascii({value}) <= 32 and btrim({value}, E' \\t\\r\\n') = '')" if kind == "text" else ""
        yield Rule(name, "is empty", f"{value} is null{blank}")
    if kind == "text" != column.data_type:
        yield from _type_rules(column, value, is_valid)
    elif kind in ("timestamptz", "date"):
        yield Rule(name, "is not between the years 1 and 9999", f"{value} not between {_years(kind)}")
    if column.data_type == "double precision":
        yield Rule(name, "is not a finite number", f"{typed(column, kind)} not between {_FINITE}")
    if column.accepted_values:
        accepted = ", ".join(map(_literal, column.accepted_values))
        yield Rule(name, f"is not one of {', '.join(column.accepted_values)}", f"{value} not in ({accepted})")
    if column.minimum is not None:
        yield Rule(name, f"is below {column.minimum:g}", f"{typed(column, kind)} < {column.minimum}")
    if column.format == "email":
        yield Rule(name, "is not an e-mail address", f"{value} !~ {_literal(_EMAIL)}")
    if column.format == "timezone":
        yield Rule(name, "is not an IANA time zone such as Europe/Paris", f"{value} not in ({_zones()})")
    if name in table.key:
        reason = f"is longer than {MAX_KEY_BYTES} bytes, too long for a key"
        yield Rule(name, reason, f"octet_length({value}) > {MAX_KEY_BYTES}")
    if column.references:
        yield Rule(
            name,
            f"is not in {column.references}",
            f"parent_{name}.{name} is null",
            f"left join raw.{column.references} as parent_{name} on parent_{name}.{name} = {value}",
        )


def _type_rules(column: Column, value: str, is_valid: str) -> Iterator[Rule]:
    """Text that is no value of its type, or written as PostgreSQL alone would guess at (`2024-03-3+`, `10:20:3a`).

    Moments and dates in PostgreSQL's own spelling are known by being spelt the same again: nearly every row, at a
    quarter of the price of a regular expression.
    """

    def broken_unless(fits: str) -> Rule:
        return Rule(column.name, reason, f"not ({fits})")

    match column.data_type:
        case "timestamptz":
            reason = "is not an ISO 8601 moment such as 2024-03-31T14:00:00Z"
            yield broken_unless(f"{is_valid}({value}, 'timestamp')")
            respelt = f"{value}::timestamp::text"  # without a zone: cheaper, and UTC is meant
            same = f"{respelt} = rtrim(replace({value}, 'T', ' '), 'Z')"
            iso = f"{value} ~ {_literal(_ISO_TIMESTAMP)} and {is_valid}({value}, 'timestamptz')"
            yield broken_unless(f"{value} like '____-%' and ({same} or {iso})")
        case "date":
            reason = "is not an ISO 8601 date such as 2024-03-31"
            yield broken_unless(f"{is_valid}(left({value}, 10), 'date')")
            yield broken_unless(f"left({value}, 10)::date::text = {value} or {value} ~ {_literal(_MIDNIGHT)}")
        case "integer":
            reason = "is not a whole number"
            yield broken_unless(f"{value} ~ {_literal(_WHOLE_NUMBER)}")
            yield broken_unless(f"{is_valid}(split_part({value}, '.', 1), 'integer')")
        case "boolean":
            reason = "is not true or false"
            yield broken_unless(f"lower({value}) in ({', '.join(map(_literal, _TRUTHS))})")
        case _:
            reason = "is not a number"
            yield broken_unless(f"{is_valid}({value}, 'double precision')")


def _years(kind: str) -> str:
    return f"'0001-01-01'::{kind} and '9999-12-31'::{kind}"


@lru_cache(maxsize=1)
def _zones() -> str:
    return ", ".join(_literal(zone) for zone in sorted(available_timezones()))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
