"""Parameters of rules: what a value may be, and which is in force for a tier.

The team's own are read in `team_file`; they reach the views through `stored_parameters`.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cs_pipeline.alerts.rule import Alert, Parameter
from cs_pipeline.errors import UserError

TIERS = ("", "starter", "pro", "enterprise")

Value = float | str | list[str]
Values = Mapping[str, Value]
"""Values of a rule's parameters by name."""


class ByTier(BaseModel):
    """A parameter that differs by tier. `default` is for accounts of every other tier; the rule's own if left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Value | None = None
    by_tier: dict[Literal["starter", "pro", "enterprise"], Value]


Said = Mapping[str, Value | ByTier]
"""What the team says of a rule's parameters."""


def values_said(value: Value | ByTier) -> Iterator[tuple[tuple[str, ...], Value]]:
    """The values of a parameter, each with the way to it in the file."""
    if not isinstance(value, ByTier):
        yield (), value
        return
    if value.default is not None:
        yield ("default",), value.default
    yield from ((("by_tier", tier), one) for tier, one in value.by_tier.items())


def problems_of_parameters(alert: Alert, defaults: Values) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with `parameters` of a rule, beside the defaults in its SQL: the way to it, and what."""
    for name in defaults:
        if name not in alert.parameters:
            yield (), f"says nothing of {name}, which the SQL has; say its meaning, unit and bounds"
    for name, parameter in alert.parameters.items():
        if name not in defaults:
            yield (name,), f"is no parameter of the SQL{nearest(name, defaults)}"
            continue
        if message := problem_of_value(defaults[name], defaults[name], parameter):
            yield (name,), f"the default in the SQL: {message}"
        for tier, value in parameter.by_tier.items():
            if message := problem_of_value(_plain(value), defaults[name], parameter):
                yield (name, "by_tier", tier), message


def problem_of_value(value: Value, default: Value, parameter: Parameter | None) -> str | None:
    """What is wrong with the value, in words; None where nothing is."""
    if _kind(value) != _kind(default):
        return f"expected {_kind(default)}, got {value!r}"
    if parameter is None or not isinstance(value, int | float):
        return None
    if parameter.minimum is not None and value < parameter.minimum:
        return f"expected at least {parameter.minimum:g}, got {value:g}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"expected at most {parameter.maximum:g}, got {value:g}"
    return None


def _kind(value: Value) -> str:
    return "a text" if isinstance(value, str) else "a list of texts" if isinstance(value, list) else "a number"


def _plain(value: object) -> Value:
    """Lists for tuples, and 5 for 5.0, so that a value is the same however it was written."""
    if isinstance(value, tuple | list):
        return [str(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value  # pyright: ignore[reportReturnType]


def nearest(name: str, names: Mapping[str, object]) -> str:
    """'; did you mean …?' where a name is near, else which there are."""
    close = get_close_matches(name, names, n=1)
    return (
        f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(names)}" if names else "; there is none"
    )


def parameters_by_tier(alert: Alert, defaults: Values, said: Said) -> dict[str, Values]:
    """What is in force for each of TIERS: the team's value, else that of the rule for the tier, else its default.

    A plain value of the team is for every tier.
    """
    return {tier: {name: _in_force(name, tier, alert, defaults, said) for name in defaults} for tier in TIERS}


def _in_force(name: str, tier: str, alert: Alert, defaults: Values, said: Said) -> Value:
    theirs = said.get(name)
    if isinstance(theirs, ByTier):
        default = defaults[name] if theirs.default is None else theirs.default
        return _plain({str(each): value for each, value in theirs.by_tier.items()}.get(tier, default))
    own = alert.parameters[name].by_tier.items() if name in alert.parameters else ()
    return _plain({str(each): value for each, value in own}.get(tier, defaults[name]) if theirs is None else theirs)


def with_values(
    alert: Alert, defaults: Values, in_force: Mapping[str, Values], given: Mapping[str, Value]
) -> dict[str, Values]:
    """What is in force by tier, with what is `given` instead: 'days' for every tier, 'days.pro' for one.

    Texts stand for numbers and for lists with commas where the rule has those. Raises UserError where a name or a
    value is none of the rule's.
    """
    changed = {tier: dict(in_force.get(tier, defaults)) for tier in TIERS}
    for name, value in given.items():
        parameter, _, tier = name.partition(".")
        if parameter not in defaults:
            raise UserError(f"{parameter} is no parameter of the rule{nearest(parameter, defaults)}")
        if tier and tier not in TIERS:
            raise UserError(f"{name}: there is no tier {tier}{nearest(tier, dict.fromkeys(TIERS[1:]))}")
        meant = _meant(value, defaults[parameter])
        if message := problem_of_value(meant, defaults[parameter], alert.parameters.get(parameter)):
            raise UserError(f"{name}: {message}")
        for each in [tier] if tier else TIERS:
            changed[each][parameter] = meant
    return dict(changed)


def _meant(value: Value, default: Value) -> Value:
    """A text as what the default is, where it can be read so."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    if isinstance(default, list):
        return [each.strip() for each in value.split(",") if each.strip()]
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def values_given(rules: Sequence[str], given: Sequence[str]) -> dict[str, dict[str, Value]]:
    """What people give of the one rule among `rules`, such as 'days=20', by rule and parameter; the values as texts.

    Raises UserError where it cannot be read, or several rules are meant.
    """
    if not given:
        return {}
    if len(rules) != 1:
        raise UserError("Other parameters are for one rule; name it")
    values: dict[str, Value] = {}
    for each in given:
        name, sign, text = each.partition("=")
        if not sign:
            raise UserError(f"{each!r} is no parameter with its value; expected such as days=20")
        values[name.strip()] = text.strip()
    return {rules[0]: values}
