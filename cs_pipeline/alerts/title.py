"""Write the title of an alert: the rule's title with what the row says in its braces. Pure."""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

UNKNOWN = "unknown"
"""Stands for a value that the row does not have."""


def title_of(template: str, row: Mapping[Any, Any]) -> str:
    """The title of an alert.

    `row`: entity, measured, held_against, account_name and account_id, and `facts`, each by its name. What the row
    lacks is written as UNKNOWN, and a value that its format does not fit is written as it is: what came as text in
    place of a number is told all the same.
    """
    facts = row.get("facts") or {}
    account = row.get("account_name") or row.get("account_id") or ""
    known = {**facts, **{name: row.get(name) for name in ("measured", "held_against")}, "account_name": account}
    return _Title().vformat(template, (), {**known, "entity": row.get("entity") or account})


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
