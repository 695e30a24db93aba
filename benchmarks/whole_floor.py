"""Write the psql script that is the floor of a whole week: `whole_floor.sql` with what dbt compiles for the week."""

import os
import subprocess
from datetime import date
from pathlib import Path

from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import dbt_environment, dbt_executable, week_variables

SCRIPT = Path(__file__).with_name("whole_floor.sql")
MART = "models/marts/fct_account_weeks.sql"


def write_whole_floor(warehouse: Warehouse, week: date, present: str, folder: Path) -> Path:
    """The script for `week`, in `folder`. Raises SystemExit with dbt's words when it cannot compile."""
    target = folder / "compiled_for_the_floor"
    variables = {**week_variables(week, week), "present": present, "late_rows": "exclude"}
    places = {
        "--project-dir": DBT_PROJECT,
        "--profiles-dir": DBT_PROJECT,
        "--target-path": target,
        "--log-path": target,
    }
    left_out = ["--exclude", "tag:alerts", "tag:kpis", "resource_type:unit_test"]
    done = subprocess.run(
        [dbt_executable(), "--quiet", "compile", *left_out, *(str(part) for each in places.items() for part in each)],
        env=os.environ | dbt_environment(warehouse, variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"dbt cannot compile the floor:\n{done.stdout}{done.stderr}")
    compiled = target / "compiled" / "cs_pipeline"
    tests = [path for path in sorted(compiled.rglob("*.sql")) if path.parent.suffix == ".yml"]
    checks = "\n".join(f"select count(*) from (\n{path.read_text().strip()}\n) as failed;" for path in tests)
    script = folder / SCRIPT.name
    text = SCRIPT.read_text()
    script.write_text(text.replace("\n{mart}\n", f"\n{(compiled / MART).read_text()}\n").replace("\n{checks}", checks))
    return script
