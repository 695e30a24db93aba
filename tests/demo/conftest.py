"""A sample company small enough to make once for all tests, and its tables as data frames."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.parquet_parts import read_pieces
from cs_pipeline.demo.truth import REJECTS, read_truth

ReadTable = Callable[[str], pa.Table]


@pytest.fixture(scope="session")
def company() -> SampleCompany:
    """200 accounts over 52 weeks."""
    return SampleCompany(accounts=200, weeks=52, seed=3, ends_on=date(2025, 6, 2), events_scale=0.4)


@pytest.fixture(scope="session")
def folder(company: SampleCompany, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's files."""
    made = tmp_path_factory.mktemp("sample") / "company"
    generate(made, company)
    return made


@pytest.fixture(scope="session")
def read(folder: Path) -> ReadTable:
    """Reads a canonical table, broken rows and all."""
    return lambda name: pa.concat_tables(read_pieces(folder, name))


@pytest.fixture(scope="session")
def sound(folder: Path, read: ReadTable) -> Callable[[str], pd.DataFrame]:
    """Reads a canonical table without the rows that were broken on purpose."""
    broken = read_truth(folder, REJECTS).to_pandas()

    def without_broken(name: str) -> pd.DataFrame:
        frame = read(name).to_pandas()
        known = broken[broken["source_table"] == name]
        key = frame.columns[0]
        frame = frame[~frame[key].isin(known["row_key"])]
        return frame.reset_index(drop=True)

    return without_broken
