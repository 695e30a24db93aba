"""Write a month's rows to a Parquet file with a manifest beside it, and read them back, in batches.

The manifest says what the file must hold: how many rows, and a digest of them. Which months are written belongs to
`archive`.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from cs_pipeline.errors import UserError

BATCH_ROWS = 65_536
OnRows = Callable[[int], None]
"""Hears how many rows have been written or read so far."""


@dataclass(frozen=True)
class Manifest:
    """What a file holds. `digest`: SHA-256 of its rows as CSV, in their order; `columns`: their types, by name."""

    table: str
    month: str
    rows: int
    digest: str
    columns: dict[str, str]


class _Digest:
    """Of rows, however they are cut into batches."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, pyarrow.csv.WriteOptions(include_header=False))
        self._hash.update(text.getbuffer())
        self.rows += batch.num_rows

    @property
    def value(self) -> str:
        return self._hash.hexdigest()


def manifest_of(file: Path) -> Path:
    """Where the manifest of a file stands."""
    return file.with_suffix(".json")


def write_month(
    file: Path, table: str, month: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch], on_rows: OnRows
) -> Manifest:
    """Write the rows, read them back and compare, then give file and manifest their names. Raises UserError when what
    is read is not what was written, or the folder cannot be written to.
    """
    begun, digest = file.with_suffix(".part"), _Digest()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(begun, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                digest.add(batch)
                on_rows(digest.rows)
        columns = {field.name: str(field.type) for field in schema}
        manifest = Manifest(table, month, digest.rows, digest.value, columns)
        for _ in read_month(begun, manifest, lambda _: None):
            pass
        with begun.open("rb") as written:
            os.fsync(written.fileno())
        begun.replace(file)
        manifest_of(file).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror or error}. Nothing was taken away.") from None
    finally:
        begun.unlink(missing_ok=True)
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What the manifest beside a file says. Raises UserError where there is none, or it says something else."""
    beside = manifest_of(file)
    try:
        return Manifest(**json.loads(beside.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"{beside} is not there: the manifest of {file.name}, which `data archive` wrote.") from None
    except (ValueError, TypeError) as error:
        raise UserError(f"{beside} is no manifest of an archived month: {error}") from None


def read_month(file: Path, manifest: Manifest, on_rows: OnRows) -> Iterator[pa.RecordBatch]:
    """The rows of a file. Raises UserError, after the last, when they are not those of the manifest."""
    digest = _Digest()
    try:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                digest.add(batch)
                yield batch
                on_rows(digest.rows)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{file} is not a sound Parquet file ({' '.join(str(error).split())}).") from None
    if (digest.rows, digest.value) != (manifest.rows, manifest.digest):
        raise UserError(
            f"{file} has not the rows that its manifest says: {digest.rows:,} instead of {manifest.rows:,}"
            f"{'' if digest.rows != manifest.rows else ', and others'}. Nothing was changed."
        )
