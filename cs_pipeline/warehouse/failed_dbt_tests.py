"""Tell which dbt tests stopped a run: the test, how many rows, and whose they are.

dbt says how many rows failed and where the SQL is. Whoever must mend the rows wants to know which accounts they are of.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cs_pipeline.errors import UserError
from cs_pipeline.first_few import first_few
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

ROWS_SHOWN = 3
ACCOUNTS_SHOWN = 10
COLUMNS_SHOWN = 4


def words_of_failed_tests(target: Path, warehouse: Warehouse) -> str | None:
    """The failed tests of the dbt run that wrote to `target`, in words for people; None when no test failed."""
    results = target / "run_results.json"
    if not results.exists():
        return None
    failed = [
        result
        for result in json.loads(results.read_text(encoding="utf-8"))["results"]
        if result["unique_id"].startswith("test.") and result["status"] == "fail"
    ]
    if not failed:
        return None
    return (
        "; ".join(_words(result, warehouse) for result in failed)
        + ". The weeks stay as they were. Mend the source rows of what is named here, load them, and run again"
    )


def _words(result: dict[str, Any], warehouse: Warehouse) -> str:
    name = result["unique_id"].split(".")[2]
    count = f"{result['failures']:,} {'row' if result['failures'] == 1 else 'rows'}"
    try:
        found = list(_rows(result["compiled_code"], warehouse))
    except UserError:  # the rows are a help, and what failed is told without them
        found = []
    return f"test {name} failed on {count}" + (f": {'; '.join(found)}" if found else "")


def _rows(sql: str, warehouse: Warehouse) -> Iterator[str]:
    """The accounts, where the test's rows say whose they are, and the first rows."""
    rows = query(warehouse, f"select * from ({sql.rstrip().rstrip(';')}) as failed limit {ROWS_SHOWN}")
    if "account_id" in rows:
        accounts = query(warehouse, f"select distinct account_id from ({sql}) as failed order by 1")["account_id"]
        yield f"accounts {first_few(accounts, ACCOUNTS_SHOWN)}"
    for row in rows.iloc[:, :COLUMNS_SHOWN].to_dict("records"):
        yield "row " + ", ".join(f"{column} {value}" for column, value in row.items())
