"""Say which files of archived months have events of a person. Erasing changes no event, here or there: it is kept under
the user id, which says nobody's name or address once the person is erased.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cs_pipeline.privacy.person import find
from cs_pipeline.warehouse.archive import archived_files
from cs_pipeline.warehouse.connection import Warehouse


def archived_events_of(warehouse: Warehouse, person: str) -> dict[Path, int | None]:
    """How many events of who has the address or user id each file has, of those that have any; None of a file that
    cannot be read from here. Raises UserError when nobody is known by that address or id.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        user_ids = find(cursor, person).user_ids
        files = list(archived_files(cursor))
    counts = {file: _rows_of(file, user_ids) for file in files}
    return {file: count for file, count in counts.items() if count != 0}


def _rows_of(file: Path, user_ids: list[str]) -> int | None:
    wanted = pc.SetLookupOptions(pa.array(user_ids, pa.string()))
    try:
        with pq.ParquetFile(file) as parquet:
            columns = (batch.column(0).cast(pa.string()) for batch in parquet.iter_batches(columns=["user_id"]))
            return sum(pc.call_function("is_in", [column], wanted).true_count for column in columns)
    except (OSError, pa.ArrowException):
        return None
