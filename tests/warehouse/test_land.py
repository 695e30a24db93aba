"""Foreign files land as they are, as text, for mappings to read."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.land import land_folder
from cs_pipeline.warehouse.rejects import read_rejects
from cs_pipeline.warehouse.source_files import delimiter_of, left_out
from tests.warehouse.conftest import Query


def test_every_file_becomes_a_table_of_text_with_file_and_line(
    warehouse: Warehouse, folder: Path, query: Query
) -> None:
    (folder / "Order Lines.csv").write_text('Order ID,order,"Price (€)",\n1,x,"1,5",\n\n2,,"a\nb",z\n3,y,,\n')
    with gzip.open(folder / "small.csv.gz", "wb") as stream:
        stream.write(b"when\n03-04-2024\n")
    pq.write_table(pa.table({"n": [1, None], "flag": [True, False]}), folder / "numbers.parquet")
    landed = {table.table: table for table in land_folder(warehouse, folder)}
    assert {name: table.rows for name, table in landed.items()} == {"order_lines": 3, "small": 1, "numbers": 2}
    assert landed["order_lines"].columns == {
        "Order ID": "order_id",
        "order": "order",
        "Price (€)": "price_",
        "": "column_4",
    }
    assert query('select _file, _line, order_id, "order", price_, column_4 from landing.order_lines order by 2') == [
        ("Order Lines.csv", 2, "1", "x", "1,5", None),
        ("Order Lines.csv", 4, "2", None, "a\nb", "z"),
        ("Order Lines.csv", 6, "3", "y", None, None),
    ]
    assert query("select _line, n, flag from landing.numbers order by 1") == [(1, "1", "true"), (2, None, "false")]


def test_a_subfolder_is_one_table_of_many_parts(warehouse: Warehouse, folder: Path, query: Query) -> None:
    (folder / "usage").mkdir()
    (folder / "usage" / "january.csv").write_text("a,b\n1,2\n")
    (folder / "usage" / "february.csv").write_text("b,c\n3,4\n")
    land_folder(warehouse, folder)
    assert query("select _file, a, b, c from landing.usage order by 1") == [
        ("february.csv", None, "3", "4"),
        ("january.csv", "1", "2", None),
    ]


def test_landing_again_replaces_rows_and_columns_and_keeps_views(
    warehouse: Warehouse, folder: Path, query: Query
) -> None:
    (folder / "t.csv").write_text("a,b\n1,2\n")
    land_folder(warehouse, folder)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create view reader as select a from landing.t")
    (folder / "t.csv").write_text("c,a\n5,6\n7,8\n")
    land_folder(warehouse, folder)
    assert query("select a from reader order by 1") == [("6",), ("8",)]
    assert query("select c, a from landing.t order by 1") == [("5", "6"), ("7", "8")]


def test_a_column_that_a_mapping_reads_cannot_vanish_unnoticed(
    warehouse: Warehouse, folder: Path, query: Query
) -> None:
    (folder / "t.csv").write_text("a,b\n1,2\n")
    land_folder(warehouse, folder)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create schema mapping; create view mapping.accounts as select a from landing.t")
    (folder / "t.csv").write_text("b\n2\n")
    with pytest.raises(UserError, match=r"landing\.t lacks columns that are still read: view mapping\.accounts"):
        land_folder(warehouse, folder)
    assert query("select a, b from landing.t") == [("1", "2")]


def test_rows_that_do_not_fit_their_header_are_put_aside(warehouse: Warehouse, folder: Path) -> None:
    (folder / "t.csv").write_text("a,b\n1,2\n3\n4,5\n")
    land_folder(warehouse, folder)
    (table,) = land_folder(warehouse, folder)
    assert (table.rows, table.rejected) == (2, 1)
    (reject,) = read_rejects(warehouse)
    assert (reject.table, reject.line, reject.reason) == ("landing.t", 3, "has 1 fields where the header has 2")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.csv": "x,X\n"}, r"column 2 \('X'\) would be a second 'x'"),
        ({"a.csv": "_line\n"}, r"would be a second '_line'"),
        ({"a b.csv": "x\n1\n", "a-b.csv": "x\n1\n"}, r"two files would fill landing\.a_b"),
        ({"a.csv": ""}, r"a\.csv is empty"),
        ({"a.txt": "x\n"}, r"holds no data that can be read: a\.txt: if it holds data, say .* --delimiter tab"),
        ({"a.zip": "x\n"}, r"a\.zip: unpack it"),
        ({"a.csv": "x\ty\n1\t2\n"}, r"a\.csv: columns are separated by '\\t'; say so with --delimiter tab"),
        ({"a.csv": "x;y\n1;2\n"}, r"--delimiter semicolon"),
        ({"a.tsv": "x,y\n1,2\n"}, r"a\.tsv: columns are separated by ','; say so with --delimiter comma"),
    ],
)
def test_files_that_cannot_land_are_named(
    warehouse: Warehouse, folder: Path, files: dict[str, str], words: str
) -> None:
    for name, content in files.items():
        (folder / name).write_text(content)
    with pytest.raises(UserError, match=words):
        land_folder(warehouse, folder)


def test_nested_parquet_columns_are_named(warehouse: Warehouse, folder: Path) -> None:
    pq.write_table(pa.table({"ok": [1], "tags": [["x"]]}), folder / "t.parquet")
    with pytest.raises(UserError, match=r"column tags holds list.*only single values"):
        land_folder(warehouse, folder)


def test_columns_may_be_separated_by_tabs_or_by_what_somebody_says(
    warehouse: Warehouse, folder: Path, query: Query
) -> None:
    (folder / "tabs.tsv").write_text('a\tb\n"1, one"\t2\n3, three\t4\n')
    land_folder(warehouse, folder)
    assert query("select a, b from landing.tabs order by 2") == [("1, one", "2"), ("3, three", "4")]
    (folder / "tabs.tsv").unlink()
    (folder / "words.txt").write_text("a;b\n1,5;2\n")
    (folder / "parts").mkdir()
    (folder / "parts" / "1.txt").write_text("a;b\n7;8\n9\n")
    landed = {table.table: table for table in land_folder(warehouse, folder, delimiter=";")}
    assert (landed["words"].rows, landed["parts"].rows, landed["parts"].rejected) == (1, 1, 1)
    assert query("select a, b from landing.words") == [("1,5", "2")]


def test_what_landing_passes_over_is_named_with_what_to_do(folder: Path) -> None:
    for name in ("a.csv", "b.txt", "c.zip", "d.xlsx", "e.json", ".hidden"):
        (folder / name).write_text("x\n")
    (folder / "parts").mkdir()
    (folder / "parts" / "f.zip").write_text("x\n")
    assert left_out(folder) == [
        "b.txt: if it holds data, say how its columns are separated: --delimiter tab",
        "c.zip: unpack it",
        "d.xlsx: save its sheets as CSV",
        "e.json: neither CSV nor Parquet by its name",
        "parts/f.zip: unpack it",
    ]
    assert not [words for words in left_out(folder, ";") if "b.txt" in words]


@pytest.mark.parametrize(("said", "meant"), [("", None), ("tab", "\t"), ("\\t", "\t"), ("Semicolon", ";"), ("~", "~")])
def test_a_delimiter_is_a_name_or_a_character(said: str, meant: str | None) -> None:
    assert delimiter_of(said) == meant


@pytest.mark.parametrize("said", ["tabs", "ab", "x", '"', "§"])
def test_what_cannot_separate_columns_is_refused(said: str) -> None:
    with pytest.raises(UserError, match="--delimiter is"):
        delimiter_of(said)
