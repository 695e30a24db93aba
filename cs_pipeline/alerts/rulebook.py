"""Read the alert rules: their properties files, the parameters in their SQL, and what the team's alerts.yaml says.

Files are read as they stand, without dbt, so that a tick costs no parse of the project. What `meta.alert` may say is in
`rule`, what alerts.yaml may say in `parameters`; rules themselves are in `dbt_project/models/alerts`, and in
`dbt_models/alerts` of a team's folder of configuration.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cs_pipeline.alerts.folder_defaults import FolderDefaults, read_folder_defaults
from cs_pipeline.alerts.parameters import Values, nearest, parameters_by_tier, problems_of_parameters
from cs_pipeline.alerts.rule import COLUMNS, Alert
from cs_pipeline.alerts.rule_files import Versions, files_in, properties_files, sql_files, versions_of
from cs_pipeline.alerts.rule_sql import facts_in, read_defaults
from cs_pipeline.alerts.schedule import Schedule
from cs_pipeline.alerts.team_file import TeamRule, load_team_file, with_team_settings
from cs_pipeline.alerts.title import problems_of_title
from cs_pipeline.dbt_files import DBT_PROJECT, models_of_team, read_properties
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.yaml_with_lines import InvalidFile, Problem, validate

FOLDER = DBT_PROJECT / "models" / "alerts"
SCHEMA = "alerts"
_META = ("config", "meta", "alert")


@dataclass(frozen=True)
class Rule:
    """An alert rule as it is in force.

    `alert`: its meta with the team's settings. `folder`: below `alerts`. `path`: its properties file.
    `defaults`: parameters as the SQL has them; `parameters`: by tier ('' for none) what is in force. `is_on`: False
    where alerts.yaml switches it off.
    """

    name: str
    alert: Alert
    folder: str
    path: Path
    description: str = ""
    requirements: tuple[str, ...] = ()
    defaults: Values = field(default_factory=dict)
    parameters: Mapping[str, Values] = field(default_factory=dict)
    is_on: bool = True

    @property
    def relation(self) -> str:
        """Its view in SQL."""
        return f"{SCHEMA}.{self.name}"

    @cached_property
    def schedule(self) -> Schedule:
        """At which moments it is asked."""
        return Schedule.parse(self.alert.schedule)

    @cached_property
    def audience(self) -> Condition | None:
        """Which accounts it is about, where not all."""
        return None if self.alert.audience is None else Condition.parse(self.alert.audience, ACCOUNT_FACTS)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Meta(_Part):
    alert: Alert
    requirement: tuple[str, ...] = ()


class _Config(_Part):
    meta: _Meta


class _Column(_Part):
    name: str
    data_type: str | None = None


class _Model(_Part):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    description: str = ""
    config: _Config
    columns: tuple[_Column, ...] = ()


class _Properties(_Part):
    """As much of a rule's properties file as is read here."""

    models: tuple[_Model, ...] = ()


def load_rules(config: Path | None, folder: Path = FOLDER) -> dict[str, Rule]:
    """The rules in `folder` and the team's own by name, in the order of their names, with what `<config>/alerts.yaml`
    says of them.

    Those that it switches off are among them (`is_on`). Files of rules are read again once one has changed: sensors ask
    every few seconds. Raises InvalidFile, with file, line, rule and field.
    """
    own = models_of_team(config)
    folders = (folder,) if own is None else (folder, own / "alerts")
    project = folder.parents[1] / "dbt_project.yml"
    rules = _read_version(folders, project, versions_of([project, *files_in(folders)]))
    team = load_team_file(config, {name: (rule.alert, rule.defaults) for name, rule in rules.items()})
    return {name: _as_the_team_has_it(rules[name], team.rules.get(name)) for name in sorted(rules)}


@lru_cache(maxsize=10)
def _read_version(
    folders: tuple[Path, ...],
    project: Path,
    versions: Versions,  # noqa: ARG001 - they tell versions apart
) -> Mapping[str, Rule]:
    """The rules as they are shipped and written. Raises InvalidFile with what is wrong in any of the files."""
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    defaults = read_folder_defaults(project)
    for path, below in [(path, each) for each in folders for path in properties_files(each)]:
        try:
            found = list(_rules_of(path, below, defaults))
        except InvalidFile as error:
            problems.append(str(error))
            continue
        for rule in found:
            if rule.name in rules:
                problems.append(f"{path}: {rule.name}: is the name of a rule in {rules[rule.name].path} already")
            rules[rule.name] = rule
    if not problems:
        problems += [f"{path}: no properties file beside it has its meta.alert" for path in _unnamed(folders, rules)]
        problems += _problems_among(rules)
    if problems:
        raise InvalidFile("\n".join(problems))
    return rules


def _as_the_team_has_it(rule: Rule, override: TeamRule | None) -> Rule:
    return replace(
        rule,
        alert=with_team_settings(rule.alert, override),
        parameters=parameters_by_tier(rule.alert, rule.defaults, {} if override is None else override.parameters),
        is_on=override is None or override.enabled,
    )


def _rules_of(path: Path, folder: Path, defaults: FolderDefaults) -> Iterator[Rule]:
    below = path.parent.relative_to(folder).as_posix()
    for model in _read(path, lambda properties: defaults.filled_in(properties, below)).models:
        sql = path.with_name(f"{model.name}.sql")
        if not sql.is_file():
            raise InvalidFile(f"{path}: {model.name}: there is no {sql.name} beside it")
        yield Rule(
            name=model.name,
            alert=model.config.meta.alert,
            folder=below,
            path=path,
            description=" ".join(model.description.split()),
            requirements=model.config.meta.requirement,
            defaults=read_defaults(sql, model.name),
        )


def _read(path: Path, fill_in: Callable[[Any], Any]) -> _Properties:
    """Fast where all is well; else again with line numbers, to say what is wrong."""
    try:
        properties = _Properties.model_validate(fill_in(read_properties(path)))
        if not list(_problems(properties, path)):
            return properties
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, UserError):
        pass
    try:
        return validate(_Properties, path, lambda properties: _problems(properties, path), fill_in)
    except InvalidFile as error:
        raise InvalidFile(_with_names(str(error), path)) from None


def _with_names(message: str, path: Path) -> str:
    """Complaints that name the model instead of its number."""
    try:
        names = [str(model.get("name", "")) for model in read_properties(path)["models"]]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return message

    def named(found: re.Match[str]) -> str:
        number = int(found[1]) - 1
        return f"{names[number]}: " if number < len(names) and names[number] else found[0]

    return re.sub(r"models\[(\d+)\]\.", named, message)


def _problems(properties: _Properties, path: Path) -> Iterator[Problem]:
    tables = read_contract().tables
    for number, model in enumerate(properties.models):
        alert, where = model.config.meta.alert, ("models", number, *_META)
        for source in alert.needs_fresh:
            if source not in tables:
                yield Problem(
                    (*where, "needs_fresh", source), f"is no table of the source contract{nearest(source, tables)}"
                )
        try:
            Schedule.parse(alert.schedule)
        except ValueError as error:
            yield Problem((*where, "schedule"), str(error))
        try:
            _ = alert.audience and Condition.parse(alert.audience, ACCOUNT_FACTS)
        except ConditionError as error:
            yield Problem((*where, "audience"), str(error))
        sql = path.with_name(f"{model.name}.sql")
        facts = facts_in(sql) if sql.is_file() else None
        for message in problems_of_title(alert.title, facts):
            yield Problem((*where, "title"), message)
        if sql.is_file():
            for name, message in problems_of_parameters(alert, read_defaults(sql, model.name)):
                yield Problem((*where, "parameters", *name), message)
        yield from _problems_of_columns(model, number)


def _problems_of_columns(model: _Model, number: int) -> Iterator[Problem]:
    """The six columns as dbt's contract asks for them; dbt itself says so when none is described."""
    types = {column.name: column.data_type for column in model.columns}
    for name, data_type in COLUMNS.items():
        if types and name not in types:
            yield Problem(("models", number, "columns"), f"lacks {name} ({data_type}), which every rule has")
        elif types and types[name] != data_type:
            place = [column.name for column in model.columns].index(name)
            yield Problem(
                ("models", number, "columns", place, "data_type"), f"expected {data_type} for {name}, got {types[name]}"
            )


def _problems_among(rules: Mapping[str, Rule]) -> Iterator[str]:
    for rule in rules.values():
        unknown = [name for name in rule.alert.inhibited_by if name not in rules]
        for name in unknown:
            yield f"{rule.path}: {rule.name}: inhibited_by: there is no rule '{name}'{nearest(name, rules)}"
        if not unknown and rule.name in _before(rule, rules):
            yield f"{rule.path}: {rule.name}: inhibited_by: {rule.name} stands before itself"


def _before(rule: Rule, rules: Mapping[str, Rule]) -> set[str]:
    """The rules that stand before this one, directly or through others."""
    found: set[str] = set()
    waiting = list(rule.alert.inhibited_by)
    while waiting:
        name = waiting.pop()
        if name in rules and name not in found:
            found.add(name)
            waiting += rules[name].alert.inhibited_by
    return found


def _unnamed(folders: Iterable[Path], rules: Mapping[str, Rule]) -> list[Path]:
    return [path for folder in folders for path in sql_files(folder) if path.stem not in rules]


def rule_named(name: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule of that name. Raises UserError, with the name that is nearest, where there is none."""
    if name not in rules:
        raise UserError(f"There is no alert rule '{name}'{nearest(name, rules)}")
    return rules[name]
