"""Write the rules of the source contract as SQL over a table of incoming rows. Files and mappings share them.

An incoming column is text (files) or already of the contract's type (mappings); anything else a mapping yields is
cast to text first. Every rule is an expression that is true for a row that breaks it, and is only asked when the rules
of the same column before it hold, so that a rule may rely on them: text is a number before its minimum is asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cs_pipeline.warehouse.contract import ACCOUNT, Column, SourceTable
from cs_pipeline.warehouse.spellings import COUNTRIES, ZONES

MAX_KEY_BYTES = 500  # a B-tree entry holds 2,700, and a key has three columns at most
REPEATED_KEY = "repeats the key of an earlier row"
ARCHIVED_MONTH = "is of a month that is archived; `cs-pipeline data restore` brings it back"
PARENT_PUT_ASIDE = "was put aside there"
ONLY_A_USER = (
    "is empty, and is not taken from user_id: where the user belongs now is not where this happened; "
    "join your users in a mapping"
)

_ISO_TIMESTAMP = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?( ?([zZ]|[+-][0-9]{2}(:?[0-9]{2})?))?)?$"
)
_WHOLE_NUMBER = "^[+-]?[0-9]+([.]0*)?$"
_MIDNIGHT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]00:00(:00([.]0{1,9})?)?([zZ]|[+]00(:?00)?)?)?$"
_LEAST_SIZE = 1e-100  # what is closer to 0 would leave the range of doubles when divided by
_FINITE = "'-1.7976931348623157e308'::double precision and '1.7976931348623157e308'::double precision"  # nor NaN
_TRUTHS = ("true", "false", "t", "f", "yes", "no", "1", "0")


@dataclass(frozen=True)
class Rule:
    """`is_broken`: SQL over the alias `incoming`; `join`: what it needs beside it."""

    column: str
    reason: str
    is_broken: str
    join: str = ""


def rules(
    table: SourceTable, types: Mapping[str, str], is_valid: str, known: Mapping[str, str] | None = None
) -> list[Rule]:
    """The rules for rows with columns of these `types`, those of a column together in the order they are asked in.

    `is_valid`: the SQL function that tells whether a text is a value of a type. `known`: relations to look into in
    place of tables that are referred to.
    """
    by_column = {
        name: list(_rules(table, table.column(name), kind, is_valid, known or {})) for name, kind in types.items()
    }
    if by_column.get(ACCOUNT) and "user_id" in types.keys() - set(table.key) and table.column(ACCOUNT).required:
        only_a_user = Rule(ACCOUNT, ONLY_A_USER, f"incoming.{ACCOUNT} is null and incoming.user_id is not null")
        by_column[ACCOUNT].insert(0, only_a_user)
    for name, rules_of_it in by_column.items():
        column = table.column(name)
        bounds = ((column.at_most, ">", "is above its"), (column.not_before, "<", "is before its"))
        for other, breaks, words in bounds:
            if other and other in types:
                rules_of_it.append(_bound(table, (name, breaks, other), words, types, by_column[other]))
    return [rule for rules_of_it in by_column.values() for rule in rules_of_it]


def parents_of(table: SourceTable, types: Mapping[str, str]) -> list[tuple[str, str]]:
    """The columns, of those that came in, that refer to another table, each with that table."""
    references = [(name, table.column(name).references) for name in types]
    return [(name, parent) for name, parent in references if parent]


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
        case "double precision":
            return f"({value}::double precision + 0.0)"  # -0 becomes 0
        case _:
            return f"{value}::{column.data_type}"


def _rules(table: SourceTable, column: Column, kind: str, is_valid: str, known: Mapping[str, str]) -> Iterator[Rule]:
    value, name = f"incoming.{column.name}", column.name
    if column.required:
        yield Rule(name, "is empty", f"{value} is null")
    if kind == "text" != column.data_type:
        yield from _type_rules(column, value, is_valid)
    elif kind in ("timestamptz", "date"):
        yield Rule(name, "is not between the years 1 and 9999", f"{value} not between {_years(kind)}")
    if column.data_type == "double precision":
        number = typed(column, kind)
        yield Rule(name, "is not a finite number", f"{number} not between {_FINITE}")
        too_small = f"{number} between -{_LEAST_SIZE} and {_LEAST_SIZE} and {number} <> 0"
        yield Rule(name, "is too close to 0 to count with", too_small)
    if column.accepted_values:
        accepted = ", ".join(map(_literal, column.accepted_values))
        yield Rule(name, f"is not one of {', '.join(column.accepted_values)}", f"{value} not in ({accepted})")
    if column.minimum is not None:
        yield Rule(name, f"is below {_spelt(column.minimum)}", f"{typed(column, kind)} < {column.minimum}")
    if column.maximum is not None:
        yield Rule(name, f"is above {_spelt(column.maximum)}", f"{typed(column, kind)} > {column.maximum}")
    if column.format == "email":
        yield Rule(name, "is not an e-mail address", f"cs.address_of({value}) is null and {value} is not null")
    if column.format == "timezone":
        yield Rule(name, "is not an IANA time zone such as Europe/Paris", f"{value} not in ({_listed(ZONES.values())})")
    if column.format == "country":
        yield Rule(name, "is not a country of ISO 3166-1 such as FR", f"{value} not in ({_listed(COUNTRIES.values())})")
    if name in table.key:
        reason = f"is longer than {MAX_KEY_BYTES} bytes, too long for a key"
        yield Rule(name, reason, f"octet_length({value}) > {MAX_KEY_BYTES}")
    if column.references:
        yield from _reference_rules(name, value, column.references, known)


def _reference_rules(name: str, value: str, parent: str, known: Mapping[str, str]) -> Iterator[Rule]:
    is_absent = f"parent_{name}.{name} is null"
    yield Rule(
        name,
        f"is not in {parent}: its row {PARENT_PUT_ASIDE}",
        f"{is_absent} and aside_{name}.{name} is not null",
        f"left join {known.get(parent, f'raw.{parent}')} as parent_{name} on parent_{name}.{name} = {value} "
        f"left join (select distinct row_data ->> '{name}' as {name} from raw.raw_rejects "
        f"where source_table = '{parent}' and not row_kept) as aside_{name} on aside_{name}.{name} = {value}",
    )
    yield Rule(name, f"is not in {parent}", is_absent)


def _bound(
    table: SourceTable,
    comparison: tuple[str, str, str],
    words: str,
    types: Mapping[str, str],
    rules_of_other: list[Rule],
) -> Rule:
    """That a value keeps to another column's. Where that one breaks a rule itself, nothing can be said."""
    name, breaks, other = comparison
    other_is_broken = " ".join(f"when {rule.is_broken} then true" for rule in rules_of_other)
    value, bound = (typed(table.column(column), types[column]) for column in (name, other))
    is_broken = f"case when (case {other_is_broken} else false end) then false else {value} {breaks} {bound} end"
    return Rule(name, f"{words} {other}", is_broken)


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
            reason = "is beyond 2,147,483,647, the largest whole number"
            yield broken_unless(f"{is_valid}(split_part({value}, '.', 1), 'integer')")
        case "boolean":
            reason = "is not true or false"
            yield broken_unless(f"lower({value}) in ({', '.join(map(_literal, _TRUTHS))})")
        case _:
            reason = "is not a number"
            yield broken_unless(f"{value} not like '%x%' and {value} not like '%X%'")  # 0x10, which PostgreSQL takes
            yield broken_unless(f"{is_valid}({value}, 'double precision')")


def _years(kind: str) -> str:
    return f"'0001-01-01'::{kind} and '9999-12-31'::{kind}"


def _spelt(bound: float) -> str:
    return f"{bound:,.0f}" if float(bound).is_integer() else f"{bound:g}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(_literal(word) for word in sorted(set(words)))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
