"""Read playbooks from their files: those that are shipped and a team's own, with every problem at its line and field.

Here belongs where the files are, when they are read again, and what makes one sound beyond its form. The form itself is
in `schema`; whether its templates can be rendered is asked of `messages.renderer`.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS, KINDS
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, Catalogue, facts_of_trigger
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES, USER, Playbook
from cs_pipeline.plays.playbooks.trials import BASE, Goal
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).parent / "library"
CONFIG_FOLDER = "playbooks"
TEAM_CHANNELS = " or ".join(kind.title for kind in KINDS.values() if kind.layout is not None)
TEAMS: Mapping[str, str] = {"team": "the team", "sales": "Sales"}


def load_playbooks(config: Path | None) -> dict[str, Playbook]:
    """The shipped playbooks, replaced by name and added to by `<config>/playbooks/*.yaml`, sorted by name.

    A file that has not changed since it was read is not read again: sensors ask every few seconds.
    Raises InvalidFile with every problem of the first file that has any, each at its line and field.
    """
    files = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if config is not None:
        if not config.is_dir():
            raise UserError(f"CS_PIPELINE_CONFIG is {config}, which is not a folder")
        files |= {path.stem: path for path in sorted((config / CONFIG_FOLDER).glob("*.yaml"))}
    return {name: _as_last_read(files[name]) for name in sorted(files)}


def _as_last_read(path: Path) -> Playbook:
    try:
        found = path.stat()
    except OSError:
        return read_playbook(path)  # which says what is wrong with it
    return _read_version(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1_000)
def _read_version(path: Path, modified_ns: int, size: int) -> Playbook:  # noqa: ARG001 - they tell versions apart
    return read_playbook(path)


def switched_on(playbooks: Mapping[str, Playbook]) -> dict[str, Playbook]:
    """Those of the playbooks that triggers start."""
    return {name: playbook for name, playbook in playbooks.items() if playbook.switched_on}


def playbook_named(name: str, library: Mapping[str, Playbook]) -> Playbook:
    """The playbook of that name. Raises UserError, with the names that there are."""
    if name not in library:
        raise UserError(f"There is no playbook '{name}'; there are: {', '.join(library)}")
    return library[name]


def read_playbook(path: Path) -> Playbook:
    """The playbook in one file. Raises InvalidFile with every problem, each at its line and field."""

    def problems(playbook: Playbook) -> Iterator[Problem]:
        if playbook.playbook != path.stem:
            yield Problem(("playbook",), f"expected the name of the file, {path.stem}, got {playbook.playbook}")
        yield from _problems_of_conditions(playbook)
        yield from _problems_of_steps(playbook)

    return validate(Playbook, path, problems)


def _problems_of_conditions(playbook: Playbook) -> Iterator[Problem]:
    conditions: list[tuple[tuple[str | int, ...], str | None, Catalogue]] = [
        (("trigger", "when"), playbook.trigger.when, facts_of_trigger(playbook.trigger.kind)),
        (("audience",), playbook.audience, ACCOUNT_FACTS),
        *((("exit", index, "when"), ending.when, ACCOUNT_FACTS) for index, ending in enumerate(playbook.exit)),
        *((("steps", index, "when"), step.when, ACCOUNT_FACTS) for index, step in enumerate(playbook.steps)),
    ]
    for where, text, catalogue in conditions:
        try:
            if text is not None:
                Condition.parse(text, catalogue)
        except ConditionError as error:
            yield Problem(where, str(error))
    for index, step in enumerate(playbook.steps):
        try:
            _ = step.goal and Goal.parse(step.goal)
        except ConditionError as error:
            yield Problem(("steps", index, "goal"), str(error))


def _problems_of_steps(playbook: Playbook) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, step in enumerate(playbook.steps):
        if step.step in first:
            yield Problem(("steps", index, "step"), f"is the name of step {first[step.step] + 1} already")
        first.setdefault(step.step, index)
        if step.day < 0 and playbook.trigger.kind != "renewal_window":
            yield Problem(("steps", index, "day"), "expected 0 or more: only a renewal date is known ahead")
        if step.channel not in CUSTOMER_CHANNELS and step.to in CUSTOMER_ROLES:
            yield Problem(("steps", index, "to"), f"expected a role of ours: {step.channel} does not reach customers")
        if step.to == USER and playbook.trigger.kind != "alert":
            yield Problem(("steps", index, "to"), "expected another role: only an alert is about one user")
        if step.channel in CUSTOMER_CHANNELS and step.to in ("team", "sales"):
            yield Problem(("steps", index, "to"), f"expected a person: {TEAMS[step.to]} is reached in {TEAM_CHANNELS}")
        known = {BASE}
        for place, variant in enumerate(step.variants):
            if variant.variant in known:
                words = "means the step as it is" if variant.variant == BASE else "is the name of a variant already"
                yield Problem(("steps", index, "variants", place, "variant"), words)
            known.add(variant.variant)
        for field in ("priority", "kind", "checklist"):
            if KINDS[step.channel].form != "record" and field in step.model_fields_set:
                yield Problem(("steps", index, field), f"is for channel crm only, and this is {step.channel}")
