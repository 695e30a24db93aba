"""Examine the team's folder of configuration: every file that no other part of `doctor` reads. Asks no database.

What a file may say is checked where it is read; playbooks and score models are in `configuration`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from cs_pipeline.cli.doctor.finding import Finding, guarded
from cs_pipeline.dbt_files import models_of_team
from cs_pipeline.settings import PREFIX, Settings

INGEST = "ingest.py"


def examine_files(settings: Settings) -> Iterator[Finding]:
    """A finding for each kind of file; nothing where the settings name no folder: what is shipped is sound."""
    config = settings.config
    if config is None:
        return
    if not config.is_dir():
        yield Finding("configuration", "wrong", f"{PREFIX}CONFIG names {config}, and there is no such folder")
        return
    yield Finding("configuration", "ok", str(config))
    yield from guarded("templates", lambda: [_templates(settings)])
    yield from guarded("rules", lambda: [_rules(config)])
    yield from guarded("other files", lambda: [_others(config)])
    if (config / INGEST).is_file():
        yield from guarded("ingest", lambda: [_ingest(config / INGEST)])
    if models_of_team(config) is not None:
        yield from guarded("dbt models", lambda: [_models(settings)])


def _templates(settings: Settings) -> Finding:
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.plays.playbooks.reading import load_playbooks
    from cs_pipeline.plays.triggers.dispatch import check_named_causes

    playbooks, renderer = load_playbooks(settings.config), Renderer(settings)
    check_named_causes(playbooks, settings.config)
    for playbook in playbooks.values():
        renderer.check(playbook)
    return Finding("templates", "ok", "those of every playbook render, and what starts it is known")


def _rules(config: Path) -> Finding:
    from cs_pipeline.alerts.rulebook import load_rules

    rules = load_rules(config)
    own = sorted(name for name, rule in rules.items() if rule.path.is_relative_to(config))
    return Finding("rules", "ok", f"{len(rules)} alert rules valid; of your own: {', '.join(own) or 'none'}")


def _others(config: Path) -> Finding:
    from cs_pipeline.feedback.library import FILE as ROUTING
    from cs_pipeline.feedback.library import load_routing
    from cs_pipeline.kpis.library import FILE as KPIS
    from cs_pipeline.kpis.library import load_kpis
    from cs_pipeline.reports.dated.routes import FILE as REPORTS
    from cs_pipeline.reports.dated.routes import load_routes

    readers: dict[str, Callable[[Path], object]] = {ROUTING: load_routing, KPIS: load_kpis, REPORTS: load_routes}
    for read in readers.values():
        read(config)
    there = [name for name in readers if (config / name).exists()]
    return Finding(
        "other files",
        "ok",
        f"{', '.join(there) or 'KPIs, routing and reports'} {'valid' if there else 'are as shipped'}",
    )


def _ingest(path: Path) -> Finding:
    from cs_pipeline.orchestration.ingest_definitions import require_dlt

    require_dlt(path)
    from cs_pipeline.orchestration.ingest_file import read_ingest_file

    file = read_ingest_file(path)
    names = ", ".join(source.name for source in file.sources)
    return Finding("ingest", "ok", f"dlt lands {names} at {file.schedule} (UTC)")


def _models(settings: Settings) -> Finding:
    import json

    from cs_pipeline.warehouse.dbt_cli import build_manifest
    from cs_pipeline.warehouse.dbt_folder import TEAM, dbt_folder

    nodes = json.loads(build_manifest(dbt_folder(settings)).read_text())["nodes"].values()
    models = [each for each in nodes if each["resource_type"] == "model"]
    own = sorted(each["name"] for each in models if each["original_file_path"].startswith(f"{TEAM}/"))
    return Finding("dbt models", "ok", f"dbt parses {len(own)} of your own: {', '.join(own)}")
