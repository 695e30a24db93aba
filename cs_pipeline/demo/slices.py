"""Cut out the rows that reached the warehouse between two moments, as files to load week by week."""

from datetime import UTC, datetime
from pathlib import Path

from cs_pipeline.demo.parquet_parts import PartWriter, read_pieces, remove_parts, table_names
from cs_pipeline.demo.timeline import VERSIONED, as_known_at, changed_between
from cs_pipeline.demo.truth import VERSIONS, read_truth

BEFORE_EVERYTHING = datetime(1900, 1, 1, tzinfo=UTC)


def write_slice(folder: Path, out: Path, *, before: datetime, after: datetime = BEFORE_EVERYTHING) -> dict[str, int]:
    """Write into `out` the rows of the generated company in `folder` that became known, or changed, in
    [after, before), as they looked just before `before`. Without `after`: everything known by then.

    Loading the slices of a chain of moments one after the other, by key, gives the tables as known at the last.
    Every table is written, if only with its columns. A slice that was in `out` is replaced. Returns rows by table.
    Raises UserError when `out` holds anything else.
    """
    versions = read_truth(folder, VERSIONS)
    remove_parts(out)
    written: dict[str, int] = {}
    with PartWriter(out) as parts:
        for name in table_names(folder):
            for piece in read_pieces(folder, name):
                history = versions if name == VERSIONED else None
                if after == BEFORE_EVERYTHING:
                    rows = as_known_at(name, piece, before, history)
                else:
                    rows = changed_between(name, piece, after, before, history)
                parts.write(name, rows)
                written[name] = written.get(name, 0) + rows.num_rows
    return written
