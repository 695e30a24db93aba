"""Folders that hold what is no file, and files that would fill the warehouse."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.plays.specification import load_playbooks
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.land import land_folder
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.mapping import install_mappings

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
