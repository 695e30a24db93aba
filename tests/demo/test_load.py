"""The loader takes the sample company as it is: whole, in weekly slices, and twice."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.demo.truth import REJECTS, read_truth
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder

SMALL = SampleCompany(accounts=40, weeks=20, events_scale=0)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a company of 40 accounts."""
    folder = tmp_path_factory.mktemp("small") / "company"
    generate(folder, SMALL)
    return folder


def test_the_loader_puts_aside_exactly_the_rows_that_were_broken_on_purpose(small: Path, warehouse: Warehouse) -> None:
    report = load_folder(warehouse, small)
    with warehouse.session() as connection, connection.cursor() as cursor:
        cursor.execute("select source_table, column_name from raw.raw_rejects order by 1, 2")
        found = cursor.fetchall()
    planted = read_truth(small, REJECTS).to_pandas()
    assert found == sorted(zip(planted["source_table"], planted["column_name"], strict=True))
    assert sum(table.rows_rejected for table in report.tables) == len(planted)


def test_weekly_slices_load_to_the_same_tables_as_the_whole(small: Path, warehouse: Warehouse, tmp_path: Path) -> None:
    moments = [SMALL.ends_at - timedelta(weeks=weeks) for weeks in (3, 2, 1, 0)]
    write_slice(small, tmp_path / "past", before=moments[0])
    load_folder(warehouse, tmp_path / "past")
    rejected = 0
    for after, before in pairwise(moments):
        write_slice(small, tmp_path / "week", after=after, before=before)
        rejected += sum(table.rows_rejected for table in load_folder(warehouse, tmp_path / "week").tables)
    whole = load_folder(warehouse, small)
    assert rejected == 2  # the broken rows of the last weeks
    assert sum(table.rows_loaded for table in whole.tables) == 0
    assert sum(table.rows_unchanged for table in whole.tables) > 10_000
