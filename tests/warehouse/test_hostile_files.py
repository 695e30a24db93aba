"""Folders that hold what is no file, and files that would fill the warehouse."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.warehouse import kept_rejects
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.land import land_folder
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.rejects import count_rejects, read_rejects
from tests.warehouse.conftest import Query

MakeOdd = Callable[[Path], object]
ODD = {
    "a named pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to(path.parent / "nothing"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["events.csv", "invoices.csv.gz", "invoices.parquet", "events_002.csv", "stray.txt"])
def test_a_folder_of_data_that_holds_no_files_is_refused(
    warehouse: Warehouse, company: Path, kind: str, name: str
) -> None:
    (company / name).unlink(missing_ok=True)
    ODD[kind](company / name)
    for read in (load_folder, land_folder):
        with pytest.raises(UserError, match=f"{name} is {kind}, not a file"):
            read(warehouse, company)


def test_a_name_that_is_no_text_is_refused(warehouse: Warehouse, company: Path) -> None:
    (company / os.fsdecode(b"invoices_\xff.csv")).write_text("invoice_id\n")
    for read in (load_folder, land_folder):
        with pytest.raises(UserError, match="is not UTF-8: rename it"):
            read(warehouse, company)


@pytest.mark.parametrize("kind", ODD)
def test_parts_in_a_folder_of_their_own_are_looked_at_too(warehouse: Warehouse, company: Path, kind: str) -> None:
    (company / "invoices").mkdir()
    ODD[kind](company / "invoices" / "part.csv")
    for read in (load_folder, land_folder):
        with pytest.raises(UserError, match=f"part.csv is {kind}, not a file"):
            read(warehouse, company)


@pytest.mark.parametrize("kind", ODD)
def test_mappings_and_playbooks_that_are_no_files_are_refused(warehouse: Warehouse, tmp_path: Path, kind: str) -> None:
    mappings, playbooks = tmp_path / "mappings", tmp_path / "config" / "playbooks"
    for folder, name in ((mappings, "accounts.sql"), (playbooks, "ours.yaml")):
        folder.mkdir(parents=True)
        ODD[kind](folder / name)
    with pytest.raises(UserError, match=f"is {kind}, not a file"):
        install_mappings(warehouse, mappings)
    with pytest.raises(UserError, match=f"is {kind}, not a file"):
        load_playbooks(tmp_path / "config")


@pytest.fixture
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rejects, "MOST_KEPT", 10)


@pytest.mark.usefixtures("few_are_kept")
def test_a_file_of_bad_rows_is_counted_and_not_kept(warehouse: Warehouse, company: Path, query: Query) -> None:
    events = ["event_id,account_id,occurred_at,event_name"]
    events += [f"good{number},a1,2024-01-01,login" for number in range(5)]
    events += [f"late{number},a1,never,login" for number in range(1_000)]
    events += [f"alone{number},nobody,2024-01-01,login" for number in range(2_000)]
    events += [f"short{number},a1" for number in range(3_000)]
    events += ["long" + ",x" * number for number in range(10, 400)]
    (company / "events.csv").write_text("\n".join(events))
    report = load_folder(warehouse, company)["events"]
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (6_395, 5, 6_390)
    found = {(count.column, count.reason): count.rows for count in report.reasons}
    assert found[("account_id", "is not in accounts")] == 2_000
    assert found[(None, "has 2 fields where the header has 4")] == 3_000
    assert sum(found.values()) == 6_390
    assert query("select count(*) from raw.raw_rejects where rows = 1 and row_data <> '{}'") == [(20,)]
    assert query("select sum(rows), count(*) < 150 from raw.raw_rejects") == [(6_390, True)]
    assert query("select rows_rejected from cs.loads where source_table = 'events'") == [(6_390,)]
    assert sum(count.rows for count in count_rejects(warehouse)) == 6_390
    assert any(reject.rows == 2_990 for reject in read_rejects(warehouse, "events", 500))
    (landed,) = [each for each in land_folder(warehouse, company) if each.table == "events"]
    assert landed.rejected == 3_390


@pytest.mark.usefixtures("few_are_kept")
def test_values_that_are_put_aside_are_counted_as_well(warehouse: Warehouse, company: Path, query: Query) -> None:
    rows = [f"b{number},Acme,2024-01-01,nowhere" for number in range(500)]
    (company / "accounts.csv").write_text("\n".join(["account_id,account_name,created_at,timezone", *rows]))
    report = load_folder(warehouse, company)["accounts"]
    assert (report.rows_loaded, report.rows_rejected) == (500, 0)
    assert query("select row_kept, sum(rows), count(*) from raw.raw_rejects where row_kept group by 1") == [
        (True, 500, 11)
    ]


def test_a_broken_row_as_large_as_a_file_is_cut(warehouse: Warehouse, company: Path, query: Query) -> None:
    header = "event_id,account_id,occurred_at,event_name\n"
    (company / "events.csv").write_text(header + "e1,a1,2024-01-01,login" + f",{'x' * 100_000}" * 500 + "\n")
    assert load_folder(warehouse, company)["events"].rows_rejected == 1
    assert query("select length(row_data::text) < 300000 from raw.raw_rejects") == [(True,)]
