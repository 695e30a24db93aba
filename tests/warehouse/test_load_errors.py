"""What cannot be loaded is said in one sentence that names the file and what to do."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from tests.warehouse.conftest import Query

Spoil = Callable[[Path], object]

HEADER = b"event_id,account_id,occurred_at,event_name\n"


def events(content: bytes, name: str = "events.csv") -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "events.csv").unlink()
        (folder / name).write_bytes(content)

    return spoil


CASES: list[tuple[str, Spoil, str]] = [
    ("missing file", lambda f: (f / "users.csv").unlink(), r"lacks users\.csv \(or \.csv\.gz, \.parquet\)"),
    (
        "two missing",
        lambda f: [(f / n).unlink() for n in ("users.csv", "events.csv")],
        r"lacks users\.csv, events\.csv",
    ),
    ("empty", events(b""), r"events\.csv is empty: expected a header line"),
    ("only blank lines", events(b"\n\n"), r"events\.csv is empty"),
    ("header alone", events(HEADER), r"events\.csv is empty: there is a header and no row"),
    ("missing column", events(b"event_id,account_id,event_name\n"), r"wrong header: column 'occurred_at' is missing"),
    (
        "unknown column",
        events(b"event_id,acount_id,occurred_at,event_name\n"),
        r"column 'acount_id' is unknown \(did you mean account_id\?\); column 'account_id' is missing",
    ),
    ("case", events(HEADER.upper()), r"column 'EVENT_ID' is unknown \(did you mean event_id\?\)"),
    ("twice", events(b"event_id,event_id,account_id,occurred_at,event_name\n"), r"column 'event_id' appears twice"),
    (
        "semicolons",
        events(HEADER.replace(b",", b";")),
        r"columns are separated by ';'; say so with --delimiter semicolon, or separate them by commas",
    ),
    ("load id", events(HEADER.replace(b"event_name", b"event_name,_load_id")), r"column '_load_id' is unknown"),
    ("latin-1", events(HEADER + b"e1,a1,2024-01-01,login\ne2,a1,2024-01-01,caf\xe9\n"), r"line 3: is not UTF-8 .*0xe9"),
    ("utf-16", events(HEADER.decode().encode("utf-16")), r"is UTF-16, not UTF-8"),
    ("NUL", events(HEADER + b"e1,a1,2024-01-01,lo\0gin\n"), r"line 2: holds a NUL byte"),
    ("lone CR", events(HEADER + b"e1,a1,2024-01-01,lo\rgin\n"), r"line 2: a CR outside of quotes"),
    ("old Mac", events(HEADER.replace(b"\n", b"\r") + b"e1,a1,2024-01-01,login\r"), r"a CR outside of quotes"),
    ("endless quote", events(HEADER + b'e1,a1,2024-01-01,"login\ne2,a1,2024-01-01,x\n'), r"opens and never closes"),
    ("truncated gzip", events(gzip.compress(HEADER * 99)[:-9], "events.csv.gz"), r"events\.csv\.gz is cut short"),
    ("empty gzip", events(b"", "events.csv.gz"), r"events\.csv\.gz is empty"),
    ("gzip with nothing", events(gzip.compress(b""), "events.csv.gz"), r"events\.csv\.gz is empty"),
    ("no gzip", events(HEADER, "events.csv.gz"), r"is not a sound gzip file"),
    ("corrupt parquet", events(b"PAR1" + b"x" * 99 + b"PAR1", "events.parquet"), r"is not a sound Parquet file"),
    ("empty parquet", events(b"", "events.parquet"), r"events\.parquet is empty"),
    ("extension", events(HEADER, "events.xlsx"), r"\.xlsx cannot be read; expected events\.csv or events\.csv\.gz"),
    ("unknown table", events(HEADER, "event.csv"), r"'event' is not a table of the source contract \(did you mean ev"),
    ("unknown part", events(HEADER, "eventz_01.csv"), r"'eventz_01' is not a table"),
    ("two formats", lambda f: (f / "events.csv.gz").write_bytes(b""), r"events is there in several formats"),
    ("empty folder of parts", lambda f: (f / "tickets").mkdir(), r"tickets holds no data: expected tickets\.csv"),
]


@pytest.mark.parametrize(("spoil", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_mistake_is_one_clear_sentence(
    warehouse: Warehouse, company: Path, query: Query, spoil: Spoil, words: str
) -> None:
    spoil(company)
    with pytest.raises(UserError, match=words) as caught:
        load_folder(warehouse, company)
    assert "\n" not in str(caught.value)
    assert query("select to_regclass('raw.events')") == [(None,)]


def test_a_wrong_header_is_found_before_anything_is_written(warehouse: Warehouse, company: Path, query: Query) -> None:
    (company / "tickets.csv").write_text("ticket\n")
    with pytest.raises(UserError, match="tickets"):
        load_folder(warehouse, company)
    assert query("select to_regclass('raw.accounts')") == [(None,)]


@pytest.mark.parametrize(("make", "words"), [(False, "is not a folder"), (True, "holds no data")])
def test_a_folder_without_data_is_named(warehouse: Warehouse, tmp_path: Path, make: bool, words: str) -> None:
    folder = tmp_path / "absent"
    if make:
        folder.mkdir()
    with pytest.raises(UserError, match=f"absent {words}"):
        load_folder(warehouse, folder)
