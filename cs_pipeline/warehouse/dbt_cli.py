"""Call dbt on the project: with which variables, on which database.

Calls that are no step of a Dagster run are made here; a step's is made by dagster-dbt, with the environment from here.
The address with its password, and what a run is about, reach dbt through the environment of its own process: dbt parses
the whole project again when `--vars` change, but not for this.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_folder import TEAM

VARIABLES = (
    *("present", "week_from", "week_to", "late_rows", "cohort", "segment", "known_at", "scratch_schema"),
    *("kpi_segment", "kpi_churn_date", "kpi_reactivation_within_days", "kpi_gross_margin"),
)
"""What `dbt_project.yml` names, and the macro `setting` reads."""
LAST_LINES = 15
LOG_LEVEL = "DBT_LOG_LEVEL_FILE"


def dbt_executable() -> str:
    """The dbt of this interpreter's environment, whatever PATH says."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


def week_variables(first: date, last: date) -> dict[str, str]:
    """The variables that choose weeks, both included."""
    return {"week_from": first.isoformat(), "week_to": last.isoformat()}


def dbt_environment(warehouse: Warehouse, variables: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment of a dbt process: the database, and every variable, empty where it has no value.

    It holds the password, so it belongs to that process alone. Statements are left out of dbt.log, where they would be
    a fifth of what a small run costs, unless the environment sets DBT_LOG_LEVEL_FILE.
    """
    asked = {f"CS_PIPELINE_DBT_{name.upper()}": variables.get(name, "") for name in VARIABLES}
    log_level = {LOG_LEVEL: os.environ.get(LOG_LEVEL, "info")}
    return warehouse.for_other_programs().dbt_environment() | asked | log_level


def run_models(
    warehouse: Warehouse, selection: str, variables: Mapping[str, str], *, folder: Path, target: str, log: Path
) -> None:
    """Build the models of a dbt selection in the project `folder`, without tests. What dbt prints goes to `log`.

    `target` names where dbt keeps what it parsed and compiled. Raises UserError with dbt's last words when it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            _command(["--no-use-colors", "run", "--select", selection], folder, folder / "target" / target),
            env=os.environ | dbt_environment(warehouse, variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        last_words = "\n".join(log.read_text(encoding="utf-8").splitlines()[-LAST_LINES:])
        raise UserError(f"dbt could not build {selection} ({log}):\n{last_words}")


def build_manifest(folder: Path = DBT_PROJECT) -> Path:
    """The manifest of the project in `folder`, parsed anew when a file of the project is newer than it.

    Parsing needs no database. Raises UserError with dbt's words when the project cannot be parsed.
    """
    target = folder / "target"
    manifest = target / "manifest.json"
    if manifest.exists() and manifest.stat().st_mtime >= project_changed_at(folder):
        return manifest
    target.mkdir(exist_ok=True)
    # Several processes may start at once: each parses beside, and a whole file takes the place of the old one.
    with tempfile.TemporaryDirectory(dir=target) as beside:
        command = _command(["--quiet", "parse"], folder, Path(beside))
        parsed = subprocess.run(command, capture_output=True, text=True, check=False)
        if parsed.returncode != 0:
            raise UserError(f"dbt cannot parse {folder}:\n{parsed.stdout}{parsed.stderr}".rstrip())
        for name in ("partial_parse.msgpack", "manifest.json"):
            (Path(beside) / name).replace(target / name)
    return manifest


def project_changed_at(folder: Path = DBT_PROJECT) -> float:
    """When a file of the project was changed last."""
    folders = [folder / name for name in ("models", TEAM, "macros", "snapshots", "tests")]
    sources = [path for folder in folders for path in folder.rglob("*.*")]
    return max(path.stat().st_mtime for path in [folder / "dbt_project.yml", *sources])


def _command(arguments: Sequence[str], folder: Path, target: Path) -> list[str]:
    places = {
        "--project-dir": folder,
        "--profiles-dir": folder,
        "--target-path": target,
        "--log-path": target,
    }
    return [dbt_executable(), *arguments, *(str(part) for place in places.items() for part in place)]
