"""The generator: repeatable, block by block, and careful with folders."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_pipeline.demo import generate as generator
from cs_pipeline.demo.company import BLOCK_ACCOUNTS, SampleCompany
from cs_pipeline.demo.generate import block_tables, generate
from cs_pipeline.demo.parquet_parts import PIECES_PER_PART, PartWriter, read_pieces
from cs_pipeline.demo.tables import schemas
from cs_pipeline.errors import UserError

BLOCKS = SampleCompany(accounts=2 * BLOCK_ACCOUNTS + 30, weeks=20, events_scale=0)


def digests(folder: Path) -> dict[str, str]:
    """Digest of every file in a folder and in the truth beside it."""
    files = [*folder.rglob("*.parquet"), *folder.with_name(folder.name + "-truth").rglob("*.parquet")]
    return {
        str(file.relative_to(folder.parent)).replace(folder.name, "", 1): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def test_the_same_seed_gives_identical_files(tmp_path: Path) -> None:
    company = SampleCompany(accounts=40, weeks=20)
    for name in ("once", "again"):
        generate(tmp_path / name, company)
    generate(tmp_path / "other", replace(company, seed=8))
    once, again, other = (digests(tmp_path / name) for name in ("once", "again", "other"))
    assert once == again
    assert once.keys() == other.keys()
    assert once != other


def test_a_block_is_the_same_whichever_blocks_were_made_before(tmp_path: Path) -> None:
    generate(tmp_path / "all", BLOCKS)
    alone, _ = block_tables(BLOCKS, 1)
    for name, rows in alone.items():
        as_written = list(read_pieces(tmp_path / "all", name))[1]
        assert as_written.equals(rows.cast(as_written.schema)), name


def test_generating_holds_one_block_at_a_time(tmp_path: Path) -> None:
    held: list[int] = []
    done: list[tuple[int, int]] = []

    def measure(accounts: int, total: int) -> None:
        held.append(pa.total_allocated_bytes())
        done.append((accounts, total))

    generate(tmp_path / "all", BLOCKS, on_progress=measure)
    assert done == [(500, 1030), (1000, 1030), (1030, 1030)]
    assert held[1] < 1.5 * held[0]
    with pq.ParquetFile(tmp_path / "all" / "events" / "part-00000.parquet") as file:
        assert file.num_row_groups == 3


def test_many_blocks_are_spread_over_parts(tmp_path: Path) -> None:
    piece = pa.table({"order_id": ["a"], "amount": [1.0]})
    with PartWriter(tmp_path) as parts:
        for _ in range(2 * PIECES_PER_PART + 1):
            parts.write("orders", piece)
    assert [path.name for path in sorted((tmp_path / "orders").iterdir())] == [
        "part-00000.parquet", "part-00001.parquet", "part-00002.parquet",
    ]  # fmt: skip
    assert sum(rows.num_rows for rows in read_pieces(tmp_path, "orders")) == 2 * PIECES_PER_PART + 1


def test_a_company_generated_before_is_replaced(tmp_path: Path) -> None:
    generate(tmp_path / "made", SampleCompany(accounts=40, weeks=20))
    generate(tmp_path / "made", SampleCompany(accounts=25, weeks=20))
    accounts = pa.concat_tables(read_pieces(tmp_path / "made", "accounts"))
    assert accounts.num_rows == 25 + 1  # one is broken on purpose


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("do not lose me")
    with pytest.raises(UserError, match="holds files that were not generated"):
        generate(tmp_path, SampleCompany(accounts=10, weeks=20))
    assert mine.read_text() == "do not lose me"


def test_a_small_events_scale_keeps_who_was_active_in_which_week() -> None:
    few, _ = block_tables(SampleCompany(accounts=60, weeks=20, events_scale=0), 0)
    many, _ = block_tables(SampleCompany(accounts=60, weeks=20, events_scale=1), 0)
    twice, _ = block_tables(SampleCompany(accounts=60, weeks=20, events_scale=2), 0)
    assert few["events"].num_rows < 0.6 * many["events"].num_rows
    assert twice["events"].num_rows > 1.2 * many["events"].num_rows

    def active(events: pa.Table) -> set[tuple[str, int]]:
        frame = events.select(["user_id", "occurred_at"]).to_pandas().dropna()
        return set(zip(frame["user_id"], frame["occurred_at"].dt.isocalendar().week, strict=True))

    assert len(active(few["events"])) > 0.97 * len(active(many["events"]))


def test_every_table_of_the_contract_is_made() -> None:
    tables, _ = block_tables(SampleCompany(accounts=20, weeks=20), 0)
    assert set(tables) | set(generator.company_tables(SampleCompany())) == set(schemas())
