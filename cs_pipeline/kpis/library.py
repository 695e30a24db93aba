"""Read `kpis.yaml`: the shipped one, and what a team's own says instead."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from cs_pipeline.kpis.definition import Definition, KpiBook, Parameters, TeamFile, TeamKpi
from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "kpis.yaml"
SHIPPED = Path(__file__).with_name(FILE)


def load_kpis(config: Path | None) -> KpiBook:
    """Every KPI with the targets and parameters in force.

    Raises InvalidFile with file, line and field where the team's file says what cannot be.
    """
    shipped = validate(KpiBook, SHIPPED, _problems)
    path = None if config is None else config / FILE
    if path is None or not path.exists():
        return shipped
    team = validate(TeamFile, path, lambda file: _problems_of_team(file, shipped))
    return _with_team(shipped, team)


def _problems(book: KpiBook) -> Iterator[Problem]:
    for nth, section in enumerate(book.dashboard):
        for place, kpi in enumerate(section.kpis):
            if kpi not in book.kpis:
                yield Problem(("dashboard", nth, "kpis", place), f"{kpi} is no KPI{_nearest(kpi, book)}")


def _problems_of_team(file: TeamFile, shipped: KpiBook) -> Iterator[Problem]:
    for kpi in file.kpis:
        if kpi not in shipped.kpis:
            yield Problem(("kpis", kpi), f"is no KPI{_nearest(kpi, shipped)}")
    for nth, section in enumerate(file.dashboard or ()):
        for place, kpi in enumerate(section.kpis):
            if kpi not in shipped.kpis:
                yield Problem(("dashboard", nth, "kpis", place), f"{kpi} is no KPI{_nearest(kpi, shipped)}")
    try:
        Parameters.model_validate(file.parameters)
    except ValidationError as error:
        for details in error.errors():
            known = f"; there are: {', '.join(Parameters.model_fields)}" * (details["type"] == "extra_forbidden")
            yield Problem(("parameters", *details["loc"]), details["msg"] + known)


def _with_team(shipped: KpiBook, team: TeamFile) -> KpiBook:
    preset = team.preset or shipped.preset
    kpis = {
        name: _with_words(definition, team.kpis[name], preset) if name in team.kpis else definition
        for name, definition in shipped.kpis.items()
    }
    return KpiBook(
        parameters=Parameters.model_validate(shipped.parameters.model_dump() | team.parameters),
        preset=preset,
        dashboard=team.dashboard or shipped.dashboard,
        kpis=kpis,
    )


def _with_words(definition: Definition, said: TeamKpi, preset: str) -> Definition:
    changes: dict[str, object] = {name: value for name in ("title", "if_missed") if (value := getattr(said, name))}
    if said.target is not None:
        changes["targets"] = {**definition.targets, preset: said.target}
    return definition.model_copy(update=changes)


def _nearest(name: str, book: KpiBook) -> str:
    close = get_close_matches(name, book.kpis, n=1)
    return f"; did you mean {close[0]}?" if close else "; kpis.yaml of the package names all"
