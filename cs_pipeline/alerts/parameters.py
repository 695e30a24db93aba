"""Take what the team's `<config>/alerts.yaml` says of rules: parameters, by tier where they differ, who is told, when.

Parameters reach the views as rows of cs.alert_parameters. What a rule says by itself is in `rule` and `rulebook`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from psycopg2.extensions import connection as Session
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.alerts.directory import Directory
from cs_pipeline.alerts.rule import Alert, Duration, Escalate, Limits, Notify, Parameter, Severity
from cs_pipeline.alerts.schedule import Schedule
from cs_pipeline.errors import UserError
from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "alerts.yaml"
TIERS = ("", "starter", "pro", "enterprise")

Value = float | str | list[str]
Values = Mapping[str, Value]
"""Values of a rule's parameters by name."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ByTier(_Part):
    """A parameter that differs by tier. `default` is for accounts of every other tier; the rule's own if left out."""

    default: Value | None = None
    by_tier: dict[Literal["starter", "pro", "enterprise"], Value]


class TeamRule(_Part):
    """What alerts.yaml may say of a rule; what is left out stays as the rule has it."""

    enabled: bool = True
    severity: Severity | None = None
    schedule: str | None = None
    notify: Notify | None = None
    escalate: Escalate | None = None
    remind_every: Duration | None = None
    limits: Limits | None = None
    parameters: dict[str, Value | ByTier] = {}


class TeamFile(Directory):
    """The file as a whole: how our people are reached, and rules by name."""

    rules: dict[str, TeamRule] = Field(default={})


def load_team_file(config: Path | None, rules: Mapping[str, tuple[Alert, Values]]) -> TeamFile:
    """The team's file, checked against the rules (their meta and defaults); empty where there is none.

    Raises InvalidFile with file, line and field.
    """
    path = None if config is None else config / FILE
    if path is None or not path.exists():
        return TeamFile()
    return validate(TeamFile, path, lambda file: _problems(file, rules))


def load_directory(config: Path | None) -> Directory:
    """How our people are reached, as the team's file says; what it says of rules is not checked here.

    Raises InvalidFile with file, line and field.
    """
    path = None if config is None else config / FILE
    return TeamFile() if path is None or not path.exists() else validate(TeamFile, path)


def _problems(file: TeamFile, rules: Mapping[str, tuple[Alert, Values]]) -> Iterator[Problem]:
    for name, said in file.rules.items():
        where = ("rules", name)
        if name not in rules:
            yield Problem(where, f"is no alert rule{nearest(name, rules)}")
            continue
        alert, defaults = rules[name]
        try:
            _ = said.schedule and Schedule.parse(said.schedule)
        except ValueError as error:
            yield Problem((*where, "schedule"), str(error))
        for parameter, value in said.parameters.items():
            at = (*where, "parameters", parameter)
            if parameter not in defaults:
                yield Problem(at, f"is no parameter of {name}{nearest(parameter, defaults)}")
                continue
            limits = alert.parameters.get(parameter)
            for tier, one in _values(value):
                if message := _wrong(one, defaults[parameter], limits):
                    yield Problem((*at, *tier), message)


def _values(value: Value | ByTier) -> Iterator[tuple[tuple[str, ...], Value]]:
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
        if message := _wrong(defaults[name], defaults[name], parameter):
            yield (name,), f"the default in the SQL: {message}"
        for tier, value in parameter.by_tier.items():
            if message := _wrong(_plain(value), defaults[name], parameter):
                yield (name, "by_tier", tier), message


def _wrong(value: Value, default: Value, parameter: Parameter | None) -> str | None:
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


def with_team_settings(alert: Alert, said: TeamRule | None) -> Alert:
    """The rule's meta with what the team says instead. A limit that it does not name stays."""
    if said is None:
        return alert
    names = ("severity", "schedule", "notify", "escalate", "remind_every")
    changes = {name: value for name in names if (value := getattr(said, name)) is not None}
    if said.limits is not None:
        changes["limits"] = alert.limits.model_copy(update=said.limits.model_dump(exclude_unset=True))
    return alert.model_copy(update=changes)


def parameters_by_tier(alert: Alert, defaults: Values, said: TeamRule | None) -> dict[str, Values]:
    """What is in force for each of TIERS: the team's value, else that of the rule for the tier, else its default.

    A plain value of the team is for every tier.
    """
    return {tier: {name: _in_force(name, tier, alert, defaults, said) for name in defaults} for tier in TIERS}


def _in_force(name: str, tier: str, alert: Alert, defaults: Values, said: TeamRule | None) -> Value:
    theirs = said.parameters.get(name) if said is not None else None
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
        if message := _wrong(meant, defaults[parameter], alert.parameters.get(parameter)):
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


def sync_parameters(session: Session, rules: Mapping[str, tuple[Values, Mapping[str, Values]]]) -> int:
    """Make cs.alert_parameters say what is in force, where it differs from the defaults; returns rows changed.

    `rules`: by name the defaults in the SQL and the values by tier.
    """
    rows = [
        (name, tier, json.dumps(dict(values), sort_keys=True))
        for name, (defaults, by_tier) in rules.items()
        for tier, values in by_tier.items()
        if dict(values) != dict(defaults)
    ]
    parameters = {
        "rules": [row[0] for row in rows],
        "tiers": [row[1] for row in rows],
        "values": [row[2] for row in rows],
    }
    with session.cursor() as cursor:
        cursor.execute(_SYNC, parameters)
        return cursor.rowcount


_SYNC = """
with said as (
    select rule, tier, parameters
    from unnest(%(rules)s::text[], %(tiers)s::text[], %(values)s::jsonb[]) as said (rule, tier, parameters)
),

gone as (
    delete from cs.alert_parameters
    where (rule, tier) not in (select rule, tier from said)
)

insert into cs.alert_parameters (rule, tier, parameters)
select rule, tier, parameters from said
on conflict (rule, tier) do update set parameters = excluded.parameters
where alert_parameters.parameters <> excluded.parameters
"""


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
