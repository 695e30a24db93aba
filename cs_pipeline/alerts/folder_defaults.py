"""Read what dbt_project.yml says of all alert rules in a folder: `+meta: {alert: …}`, below `alerts` and its folders.

dbt itself lets a model's `meta.alert` replace that of its folder as a whole. Here the folder's fields are defaults, so
that a team sets schedule, severity or route once for all of its rules; a field that a rule has itself stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.schedule import Schedule
from cs_pipeline.dbt_files import read_properties
from cs_pipeline.yaml_with_lines import Loc, Problem, invalid, read_yaml, words_of

META = ("+meta", "meta")


@dataclass(frozen=True)
class FolderDefaults:
    """Fields of `meta.alert` by folder below models/alerts ('' is all of them)."""

    by_folder: Mapping[str, Mapping[str, Any]]

    def of(self, folder: str) -> dict[str, Any]:
        """What a rule in `folder` has unless it says so itself; an inner folder stands before an outer one."""
        parts = [] if folder in ("", ".") else folder.split("/")
        found: dict[str, Any] = {}
        for depth in range(len(parts) + 1):
            found |= self.by_folder.get("/".join(parts[:depth]), {})
        return found

    def filled_in(self, properties: Any, folder: str) -> Any:
        """The content of a properties file, its rules with the defaults of their folder where they say nothing."""
        defaults = self.of(folder)
        if not defaults or not isinstance(properties, dict) or not isinstance(properties.get("models"), list):
            return properties
        return {**properties, "models": [_with(defaults, model) for model in properties["models"]]}


def read_folder_defaults(project: Path) -> FolderDefaults:
    """The defaults in dbt_project.yml; none where there is no such file. Raises InvalidFile, with line and field."""
    if not project.is_file():
        return FolderDefaults({})
    try:
        content = read_properties(project)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content, _ = read_yaml(project)  # says where
    found = dict(_below(content)) if isinstance(content, dict) else {}
    by_folder = {folder: alert for folder, (_, alert) in found.items()}
    if found:
        _, line_of = read_yaml(project)
        problems = [problem for where, alert in found.values() for problem in _problems(where, alert)]
        if problems:
            raise invalid(project, line_of, problems)
    return FolderDefaults(by_folder)


def _below(content: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Loc, Any]]]:
    """Folder, and where its `alert` stands with its content."""
    where: tuple[str, ...] = ("models", str(content.get("name", "")), "alerts")
    node: Any = content
    for part in where:
        node = node.get(part) if isinstance(node, dict) else None
    waiting = [("", where, node)]
    while waiting:
        folder, place, settings = waiting.pop()
        if not isinstance(settings, dict):
            continue
        for key in META:
            meta = settings.get(key)
            if isinstance(meta, dict) and "alert" in meta:
                yield folder, ((*place, key, "alert"), meta["alert"])
        waiting += [
            (f"{folder}/{name}".lstrip("/"), (*place, name), inner)
            for name, inner in settings.items()
            if isinstance(name, str) and not name.startswith("+") and name not in META
        ]


def _problems(where: Loc, alert: Any) -> Iterator[Problem]:
    if not isinstance(alert, dict):
        yield Problem(where, "expected fields of meta.alert")
        return
    try:
        Alert.model_validate(alert)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_context=True):
            if details["type"] != "missing" or len(details["loc"]) > 1:  # what a folder leaves out its rules say
                yield Problem((*where, *details["loc"]), words_of(Alert, details))
    if isinstance(alert.get("schedule"), str):
        try:
            Schedule.parse(alert["schedule"])
        except ValueError as error:
            yield Problem((*where, "schedule"), str(error))


def _with(defaults: Mapping[str, Any], model: Any) -> Any:
    """The model with the defaults below its own `config.meta.alert`; one without any rule in it stays as it is."""
    try:
        config = model["config"]
        meta = config["meta"]
        alert = {**defaults, **meta["alert"]}
    except (KeyError, TypeError):
        return model
    return {**model, "config": {**config, "meta": {**meta, "alert": alert}}}
