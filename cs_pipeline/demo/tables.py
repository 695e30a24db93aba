"""Columns into canonical tables: the shape of every table, read from the source contract, and keys and words for it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from cs_pipeline.demo.timeline import TIMELINES
from cs_pipeline.warehouse.contract import LOADED_AT, read_contract

ARROW_TYPES = {
    "text": pa.string(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "integer": pa.int32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
}

SLOWEST = np.timedelta64(4, "m")  # of rows that nothing delays, from when they happened to the warehouse

Columns = Mapping[str, Any]


@cache
def schemas() -> dict[str, pa.Schema]:
    """Arrow schema of every table of the source contract, in its order."""
    return {
        name: pa.schema([(column.name, ARROW_TYPES[column.data_type]) for column in source.columns])
        for name, source in read_contract().tables.items()
    }


def table(name: str, columns: Columns) -> pa.Table:
    """`columns` (arrays of one length, by name) as the canonical table `name`; columns not given are empty.

    NaN, NaT and None are missing. Without `_loaded_at` a row reaches the warehouse minutes after it happened.
    """
    length = len(next(iter(columns.values())))
    if LOADED_AT not in columns:
        happened = TIMELINES[name].happened
        columns = {**columns, LOADED_AT: soon_after(np.asarray(columns[happened]))} if happened else columns
    return pa.Table.from_arrays(
        [
            _column(columns[field.name], field.type) if field.name in columns else pa.nulls(length, field.type)
            for field in schemas()[name]
        ],
        schema=schemas()[name],
    )


def soon_after(moments: np.ndarray) -> np.ndarray:
    """When rows of these moments or days reach the warehouse if nothing delays them: 20 seconds to 4 minutes later."""
    exact = moments.astype("M8[us]")
    seconds = 20 + (exact.astype(np.int64) // 1_000 * 7_919 % 220_001) / 1_000
    return exact + (np.where(np.isnat(exact), 0, seconds) * 1e6).astype("m8[us]")


def text(words: Sequence[str], indexes: np.ndarray) -> np.ndarray:
    """`words` picked by index, as an array of Python strings."""
    return np.array(words, object)[indexes]


def keys(prefix: str, numbers: np.ndarray, width: int) -> np.ndarray:
    """Text keys such as acc-000042."""
    return np.array([f"{prefix}{number:0{width}d}" for number in numbers.tolist()], object)


def _column(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    if pa.types.is_date32(kind):
        return pa.array(values.astype("M8[D]"), kind)
    if pa.types.is_integer(kind) and values.dtype.kind == "f":
        return pa.array(values, pa.float64(), from_pandas=True).cast(kind)
    return pa.array(values, kind, from_pandas=True)
