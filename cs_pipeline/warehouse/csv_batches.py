"""Stream CSV files: UTF-8, commas or what the file has for them, quotes as in RFC 4180, plain or gzip.

A file is cut into blocks of whole rows. Arrow parses a block; where it does not find one row on every line (a quoted
line break, an empty line, fields missing), the csv module reads that block again, because it knows on which line each
row begins.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.csv

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.batches import Batch, BrokenRow, has_long_field, too_long
from cs_pipeline.warehouse.source_files import DELIMITERS, SourceFile

BLOCK_BYTES = 4 << 20
MAX_ROW_BYTES = 256 << 20  # a quote that never closes would otherwise read the whole file into memory
QUOTE, NEWLINE = b'"', b"\n"
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Block:
    """Whole rows, as bytes; `line` is that of the first."""

    data: bytes
    line: int
    fraction: float

    @property
    def lines(self) -> int:
        return self.data.count(NEWLINE) + (not self.data.endswith(NEWLINE))


def read_csv_header(file: SourceFile) -> tuple[str, ...]:
    """The names in the first row, without surrounding blanks. Raises UserError for an empty or unreadable file."""
    for block in _blocks(file):
        names, _ = _header(file, block)
        if len(names) == 1 and file.said_delimiter is None:
            _check_delimiter(file, names[0])
        return names
    raise UserError(f"{file.path} is empty: expected a header line with the names of the columns.")


def _check_delimiter(file: SourceFile, header: str) -> None:
    """Refuse a header that is one column only because its columns are separated by something else."""
    for name, mark in DELIMITERS.items():
        if mark != file.delimiter and mark in header:
            raise UserError(
                f"{file.path}: columns are separated by {mark!r}; say so with --delimiter {name}, "
                f"or separate them by {'tabs' if file.delimiter != ',' else 'commas'}."
            )


def read_csv_batches(file: SourceFile) -> Iterator[Batch]:
    """The rows under the header, in batches of a few megabytes.

    Raises UserError, with the line, for text that is not UTF-8, NUL bytes, a quote that is never closed, and a gzip
    stream that is damaged or cut short.
    """
    names: tuple[str, ...] = ()
    for number, block in enumerate(_blocks(file)):
        rows = block
        if number == 0:
            names, rows = _header(file, block)
        if rows.data:
            yield _parse(file, names, rows)


def _header(file: SourceFile, block: _Block) -> tuple[tuple[str, ...], _Block]:
    """The header of the first block, and the rest of that block."""
    text = _text(block)
    reader = csv.reader(text, delimiter=file.delimiter)
    try:
        names = next((fields for fields in reader if fields), None)
    except csv.Error:
        raise _lone_cr(file, block.line + reader.line_num) from None
    if names is None:
        raise UserError(f"{file.path} is empty: expected a header line with the names of the columns.")
    rest = text.read().encode()
    return tuple(name.strip() for name in names), _Block(rest, block.line + reader.line_num, block.fraction)


def _text(block: _Block) -> io.StringIO:
    """The block as lines that end with LF alone, so that the csv module counts them as everybody does."""
    return io.StringIO(block.data.decode(), newline="\n")


def _parse(file: SourceFile, names: Sequence[str], block: _Block) -> Batch:
    invalid = False

    def skip(_: object) -> str:
        nonlocal invalid
        invalid = True
        return "skip"

    rows = pyarrow.csv.read_csv(
        pa.BufferReader(block.data),
        pyarrow.csv.ReadOptions(column_names=names, block_size=len(block.data) + 1),
        pyarrow.csv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True, invalid_row_handler=skip),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    if invalid or rows.num_rows != block.lines or has_long_field(rows):
        return _parse_by_line(file, names, block)
    lines = pa.array(range(block.line, block.line + rows.num_rows), pa.int64())
    is_plain = QUOTE not in block.data and (file.delimiter == "," or b"," not in block.data)
    return Batch(rows, lines, block.fraction, is_plain=is_plain)


def _parse_by_line(file: SourceFile, names: Sequence[str], block: _Block) -> Batch:
    good: list[list[str | None]] = []
    lines: list[int] = []
    broken: list[BrokenRow] = []
    for line, fields in _numbered(file, block):
        values = [value or None for value in fields]
        if len(fields) != len(names):
            problem = _misfit(line, names, values)
        else:
            problem = too_long(line, dict(zip(names, values, strict=True)))
        if problem:
            broken.append(problem)
        else:
            good.append(values)
            lines.append(line)
    columns = zip(*good, strict=True) if good else ([] for _ in names)
    rows = pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
    return Batch(rows, pa.array(lines, pa.int64()), block.fraction, broken=broken)


def _numbered(file: SourceFile, block: _Block) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the line it begins on."""
    csv.field_size_limit(MAX_ROW_BYTES)
    reader = csv.reader(_text(block), delimiter=file.delimiter)
    line = block.line
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = block.line + reader.line_num
    except csv.Error:
        raise _lone_cr(file, line) from None


def _misfit(line: int, names: Sequence[str], values: list[str | None]) -> BrokenRow:
    row: dict[str, object] = dict(zip(names, values, strict=False))
    if len(values) > len(names):
        row["(beyond the header)"] = values[len(names) :]
    return BrokenRow(line, None, f"has {len(values)} fields where the header has {len(names)}", row)


def _blocks(file: SourceFile) -> Iterator[_Block]:
    """The file in blocks that end with a row, checked to be text."""
    line = 1
    for data, fraction in _rows(file):
        block = _Block(data, line, fraction)
        _check_text(file, block)
        yield block
        line += block.lines


def _rows(file: SourceFile) -> Iterator[tuple[bytes, float]]:
    size = max(1, file.path.stat().st_size)
    rest, is_first = b"", True
    with file.path.open("rb") as stored, _opened(file, stored) as stream:
        while chunk := _read(file, stream):
            data = rest + (chunk.removeprefix(BOM) if is_first else chunk)
            is_first = False
            end = _last_row_end(data)
            if end:
                yield data[:end], min(1.0, stored.tell() / size)
            rest = data[end:]
            if len(rest) > MAX_ROW_BYTES:
                raise _endless(file, rest)
    if rest.count(QUOTE) % 2:
        raise _endless(file, rest)
    if rest:
        yield rest, 1.0


def _opened(file: SourceFile, stored: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=stored) if file.is_gzip else stored  # pyright: ignore[reportReturnType]


def _read(file: SourceFile, stream: IO[bytes]) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except EOFError:
        raise UserError(f"{file.path} is cut short: the gzip stream ends too early; copy the file again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{file.path} is not a sound gzip file ({error}); write or copy it again.") from None


def _last_row_end(data: bytes) -> int:
    """Where the last whole row ends: behind a line break with an even number of quotes before it; 0 for none."""
    end = data.rfind(NEWLINE) + 1
    quotes = data.count(QUOTE, 0, end)
    while end and quotes % 2:
        previous = data.rfind(NEWLINE, 0, end - 1) + 1
        quotes -= data.count(QUOTE, previous, end)
        end = previous
    return end


def _check_text(file: SourceFile, block: _Block) -> None:
    if block.line == 1 and (block.data.startswith((b"\xff\xfe", b"\xfe\xff")) or block.data[1:2] == b"\0"):
        raise UserError(f"{file.path} is UTF-16, not UTF-8; save it as UTF-8.")
    try:
        if not block.data.isascii():
            block.data.decode()
    except UnicodeDecodeError as error:
        line = block.line + block.data.count(NEWLINE, 0, error.start)
        raise UserError(
            f"{file.path}, line {line}: is not UTF-8 (byte 0x{block.data[error.start]:02x}); save the file as UTF-8."
        ) from None
    if (position := block.data.find(b"\0")) >= 0:
        line = block.line + block.data.count(NEWLINE, 0, position)
        raise UserError(f"{file.path}, line {line}: holds a NUL byte, which no text can; the file is damaged.")


def _lone_cr(file: SourceFile, line: int) -> UserError:
    return UserError(f"{file.path}, line {line}: a CR outside of quotes; end lines with LF or CR LF.")


def _endless(file: SourceFile, rest: bytes) -> UserError:
    row = rest.split(NEWLINE, 1)[0][:60].decode(errors="replace")
    return UserError(
        f'{file.path}: a quote (") opens and never closes, in or after the row `{row}`; '
        'inside quotes a quote is written twice ("").'
    )
