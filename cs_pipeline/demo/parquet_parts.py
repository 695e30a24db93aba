"""Canonical tables as folders of Parquet parts (`<table>/part-00000.parquet`), written and read piece by piece."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from cs_pipeline.errors import UserError

PIECES_PER_PART = 20


class PartWriter:
    """Writes pieces of tables as row groups, beginning a new part every `PIECES_PER_PART` pieces.

    A context manager; the parts are complete when it ends. The same pieces always give the same bytes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, pq.ParquetWriter] = {}
        self._pieces: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._open.values():
            writer.close()

    def write(self, name: str, piece: pa.Table) -> None:
        """Append `piece` to the table `name`; an empty piece leaves at least a part with the columns."""
        count = self._pieces.get(name, 0)
        if count % PIECES_PER_PART == 0:
            if name in self._open:
                self._open.pop(name).close()
            path = self._folder / name / f"part-{count // PIECES_PER_PART:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = _writer(path, piece.schema)
        if piece.num_rows:
            self._open[name].write_table(piece, row_group_size=piece.num_rows)
        self._pieces[name] = count + 1


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer that stores keys and moments as differences and everything else by dictionary: half the size."""
    key = schema.names[0]
    moments = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        store_schema=False,  # dictionary columns are read back as plain text
        use_dictionary=[name for name in schema.names if name != key and name not in moments],  # pyright: ignore[reportArgumentType]
        column_encoding={key: "DELTA_BYTE_ARRAY"} | dict.fromkeys(moments, "DELTA_BINARY_PACKED"),
    )


def read_pieces(folder: Path, name: str) -> Iterator[pa.Table]:
    """The pieces of the table `name` in the order they were written; none where the table is absent."""
    for path in sorted((folder / name).glob("part-*.parquet")):
        with pq.ParquetFile(path) as file:
            if not file.num_row_groups:
                yield file.schema_arrow.empty_table()
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


def remove_parts(*folders: Path) -> None:
    """Remove folders of parts, as far as they are there. Raises UserError, and removes nothing, when one of them
    holds anything else.
    """
    there = [folder for folder in folders if folder.exists()]
    for folder in there:
        strangers = [path for path in folder.rglob("*") if path.is_file() and not path.match("*/part-*.parquet")]
        if strangers or not folder.is_dir():
            raise UserError(f"{folder} holds files that were not generated; name a new or an empty folder.")
    for folder in there:
        shutil.rmtree(folder)


def table_names(folder: Path) -> list[str]:
    """Tables that have parts in `folder`, by name. Raises UserError where there are none."""
    names = sorted({path.parent.name for path in folder.glob("*/part-*.parquet")})
    if not names:
        raise UserError(f"{folder} holds no generated tables: expected <table>/part-00000.parquet in it.")
    return names
