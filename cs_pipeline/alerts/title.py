"""Write the title of an alert: the rule's title with what the row says in its braces. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from cs_pipeline.alerts.parameters import nearest

NUMBERS = ("measured", "held_against")
TEXTS = ("entity", "account_name", "person")
UNKNOWN = "unknown"
"""Stands for a value that the row does not have."""


def title_of(template: str, row: Mapping[Any, Any]) -> str:
    """The title of an alert.

    `row`: entity, measured, held_against, account_name and account_id, `facts`, each by its name, and `person`, what
    the user is called whom it is about (the id where there is no name). What else the row lacks is written as UNKNOWN,
    and a value that its format does not fit is written as it is: what came as text in place of a number is told all
    the same.
    """
    facts = row.get("facts") or {}
    account = row.get("account_name") or row.get("account_id") or ""
    known = {**facts, **{name: row.get(name) for name in NUMBERS}, "account_name": account}
    known |= {"entity": row.get("entity") or account, "person": row.get("person") or _id_in_words(template, row)}
    return _Title().vformat(template, (), known)


def _id_in_words(template: str, row: Mapping[Any, Any]) -> str:
    user = (row.get("facts") or {}).get("user_id") or row.get("entity") or UNKNOWN
    return f"{'User' if template.startswith('{person}') else 'user'} {user}"


def problems_of_title(template: str, facts: Sequence[str] | None) -> Iterator[str]:
    """What is wrong with the title of a rule. `facts`: what its braces may take besides the columns, where known."""
    try:
        fields = [(name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        yield f"is not a title: {error}"
        return
    known: Mapping[str, object] = dict.fromkeys((*TEXTS, *NUMBERS, *(facts or ())))
    for name, spec in fields:
        if facts is not None and name not in known:
            yield f"{{{name}}} is neither a column nor a fact of the SQL{nearest(name, known)}"
        elif name in NUMBERS:
            try:
                format(0.0, spec)
            except ValueError:
                yield f"{{{name}:{spec}}} is no format of a number: write {{{name}:.0f}} or {{{name}:.0%}}"


class _Title(Formatter):
    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:  # noqa: ARG002
        return kwargs.get(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None or value != value:
            return UNKNOWN
        try:
            return format(value, format_spec)
        except (TypeError, ValueError):
            return str(value)
