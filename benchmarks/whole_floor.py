"""Write the psql script that is the floor of a whole week: `whole_floor.sql` with what dbt compiles for the week."""

import os
import subprocess
from datetime import date
from itertools import accumulate
from pathlib import Path

from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import dbt_environment, dbt_executable, week_variables

SCRIPT = Path(__file__).with_name("whole_floor.sql")
MART = "models/marts/fct_account_weeks.sql"
SPINE = "__dbt__cte__int_account_weeks_spined as "


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
    spine, mart = _spine_and_mart((compiled / MART).read_text())
    text = SCRIPT.read_text()
    for name, part in (("spine", spine), ("mart", mart)):
        text = text.replace(f"\n{{{name}}}\n", f"\n{part}\n")
    script.write_text(text.replace("\n{checks}", checks))
    return script


def _spine_and_mart(compiled: str) -> tuple[str, str]:
    """The select of the accounts of the week, and that of the mart, which reads them from a table."""
    start = compiled.index("(", compiled.index(SPINE))
    depths = accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in compiled[start:])
    end = start + next(place for place, depth in enumerate(depths) if depth == 0)
    table = f"{compiled[:start]}not materialized (select * from floor_spine{compiled[end:]}"
    return compiled[start + 1 : end], table
