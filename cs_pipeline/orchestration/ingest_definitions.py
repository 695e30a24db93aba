"""Put together what a team's `ingest.py` adds to the code location; without one nothing, not even an import."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.schedules import once_a
from cs_pipeline.settings import Settings

FILE, MAPPING = "ingest.py", "mapping"


@dataclass(frozen=True)
class Ingest:
    """`sources`: the canonical tables, those that are mapped here left out."""

    sources: Sequence[dg.AssetSpec]
    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec] = ()
    jobs: Sequence[Any] = ()
    schedules: Sequence[dg.ScheduleDefinition] = field(default=())


def build_ingest(settings: Settings, sources: Sequence[dg.AssetSpec]) -> Ingest:
    """What the file asks for. `sources`: the canonical tables. Raises UserError where dlt is not installed."""
    path = settings.config / FILE if settings.config else None
    if path is None or not path.is_file():
        return Ingest(sources)
    require_dlt(path)
    from cs_pipeline.orchestration.assets.landing import build_landing, build_origins
    from cs_pipeline.orchestration.assets.mapped_tables import build_mapped_tables
    from cs_pipeline.orchestration.ingest_file import read_ingest_file
    from cs_pipeline.orchestration.jobs.ingest import build_ingest_job

    file = read_ingest_file(path)
    landing = build_landing(settings, file)
    materialized = [*landing]
    if folder := _mapping_folder(path.parent):
        keys = [key for each in landing for key in each.keys]
        materialized.append(build_mapped_tables(folder, sources, keys))
    made = {key for each in materialized for key in each.keys}
    job = build_ingest_job(materialized)
    description = "Has dlt land what is new, and maps it, as often as ingest.py says."
    return Ingest(
        sources=[spec for spec in sources if spec.key not in made],
        assets=[*build_origins(landing), *materialized],
        jobs=[job],
        schedules=[once_a("%Y-%m-%dT%H:%M", job, file.schedule, description)],
    )


def require_dlt(path: Path) -> None:
    """Raise UserError unless dlt is installed, which the file needs."""
    if importlib.util.find_spec("dagster_dlt") is None:
        raise UserError(f"{path} needs dlt: pip install 'cs-pipeline[ingest]', or take the file away.")


def _mapping_folder(config: Path) -> Path | None:
    """The selects beside the file, or beside its folder, where `cs-pipeline init` has them."""
    folders = (config / MAPPING, config.resolve().parent / MAPPING)
    return next((folder for folder in folders if any(folder.rglob("*.sql"))), None)
