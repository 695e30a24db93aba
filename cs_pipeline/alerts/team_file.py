"""Read the team's `<config>/alerts.yaml`: what it says of rules, and how our people are reached.

What parameters may be is in `parameters`, how people are reached in `directory`; what a rule says by itself in `rule`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.alerts.directory import Directory
from cs_pipeline.alerts.parameters import ByTier, Value, Values, nearest, problem_of_value, values_said
from cs_pipeline.alerts.rule import Alert, Duration, Escalate, Limits, Notify, Severity
from cs_pipeline.alerts.schedule import Schedule
from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "alerts.yaml"


class TeamRule(BaseModel):
    """What alerts.yaml may say of a rule; what is left out stays as the rule has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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


def with_team_settings(alert: Alert, said: TeamRule | None) -> Alert:
    """The rule's meta with what the team says instead. A limit that it does not name stays."""
    if said is None:
        return alert
    names = ("severity", "schedule", "notify", "escalate", "remind_every")
    changes = {name: value for name in names if (value := getattr(said, name)) is not None}
    if said.limits is not None:
        changes["limits"] = alert.limits.model_copy(update=said.limits.model_dump(exclude_unset=True))
    return alert.model_copy(update=changes)


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
            for tier, one in values_said(value):
                if message := problem_of_value(one, defaults[parameter], limits):
                    yield Problem((*at, *tier), message)
