"""Find the files of a folder that hold a table, by names and extensions, not contents.

A table is one file `<name>.csv`, `<name>.csv.gz` or `<name>.parquet`, several numbered parts `<name>_001.parquet`, or
a folder `<name>/` with parts of any name.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import what_instead

EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
TEXT_EXTENSIONS = (".txt", ".txt.gz")
"""Files that are data only when somebody says how their columns are separated."""
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SHEETS = (".xlsx", ".xls", ".xlsm", ".ods")
_PACKED = (".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".gz")
_PART = re.compile(r"(?P<name>.+?)[_-](?:part[_-]?)?\d[\d_-]*")


@dataclass(frozen=True)
class SourceFile:
    """A data file and the table it belongs to. `said_delimiter`: what separates its columns, where somebody said so."""

    path: Path
    table: str
    said_delimiter: str | None = None

    @property
    def delimiter(self) -> str:
        """What separates the columns: what somebody said, else tabs in a .tsv and commas in a .csv."""
        is_tsv = ".tsv" in "".join(self.path.suffixes[-2:]).lower()
        return self.said_delimiter or ("\t" if is_tsv else ",")

    @property
    def is_parquet(self) -> bool:
        """Parquet, else CSV."""
        return self.path.name.lower().endswith(".parquet")

    @property
    def is_gzip(self) -> bool:
        """Compressed as a whole."""
        return self.path.name.lower().endswith(".gz")

    @property
    def origin(self) -> str:
        """How rejects and loads name the file: its absolute path."""
        return str(self.path.resolve())

    def __str__(self) -> str:
        return self.path.name


def delimiter_of(said: str) -> str | None:
    """The character that `said` (a name in DELIMITERS, or the character) stands for; None for nothing said."""
    found = DELIMITERS.get(said.lower(), "\t" if said == "\\t" else said)
    if len(found) > 1 or (found and (not found.isascii() or found.isalnum() or found in '"\r\n\0')):
        raise UserError(f"--delimiter is {said!r}; expected {', '.join(DELIMITERS)}, or one character such as ~")
    return found or None


def canonical_files(
    folder: Path, tables: Iterable[str], delimiter: str | None = None
) -> Mapping[str, list[SourceFile]]:
    """The files of each of `tables` present in `folder`, parts in order of their names.

    Raises UserError for a folder that is absent or without data, a data file whose name is no table's, a table's name
    with another extension, and the same part in two formats.
    """
    known = tuple(tables)
    found: dict[str, list[SourceFile]] = {}
    for path, stem in _entries(folder):
        table = _table_of(stem, known)
        if path.is_dir():
            if table:
                found.setdefault(table, []).extend(_parts(path, table, delimiter))
        elif _extension(path) is None:
            if table:
                raise UserError(f"{path}: {path.suffix or 'no extension'} cannot be read; {_expected(table)}.")
        elif table is None:
            raise UserError(f"{path}: {stem!r} is not a table of the source contract{closest(stem, known)}.")
        else:
            found.setdefault(table, []).append(SourceFile(path, table, delimiter))
    return _usable(folder, found)


def landing_files(folder: Path, delimiter: str | None = None) -> Mapping[str, list[SourceFile]]:
    """The files of `folder` by the landing table they fill: the file's (or subfolder's) name as a plain SQL name.

    With a `delimiter` files of TEXT_EXTENSIONS are data too; `left_out` says what is passed over.

    Raises UserError for a folder that is absent or without data, and for two files that would fill the same table.
    """
    found: dict[str, list[SourceFile]] = {}
    for path, stem in _entries(folder):
        table = plain_name(stem)
        if path.is_dir():
            found.setdefault(table, []).extend(_parts(path, table, delimiter))
        elif _extension(path) or (delimiter and _text_extension(path)):
            found.setdefault(table, []).append(SourceFile(path, table, delimiter))
        if sum(file.path.parent == folder for file in found.get(table, ())) > 1:
            raise UserError(f"{folder}: two files would fill landing.{table}; keep one, or put parts into a folder.")
    usable = {table: files for table, files in found.items() if files}
    if not usable and (passed_over := left_out(folder, delimiter)):
        raise UserError(f"{folder} holds no data that can be read: {'; '.join(passed_over)}.")
    return _usable(folder, usable)


def left_out(folder: Path, delimiter: str | None = None) -> list[str]:
    """Files of `folder` and its subfolders that landing passes over, each with what to do about it."""
    words: list[str] = []
    for path, _ in _entries(folder):
        for file in [part for part, _ in _entries(path)] if path.is_dir() else [path]:
            if file.is_dir():
                words.append(f"{file.relative_to(folder)} is a folder in a folder: move its files up")
            elif not _extension(file) and not (delimiter and _text_extension(file)):
                words.append(f"{file.relative_to(folder)}: {_what_to_do(file)}")
    return words


def _what_to_do(file: Path) -> str:
    name = file.name.lower()
    if _text_extension(file):
        return "if it holds data, say how its columns are separated: --delimiter tab"
    if name.endswith(_SHEETS):
        return "save its sheets as CSV"
    if name.endswith(_PACKED):
        return "unpack it"
    return "neither CSV nor Parquet by its name"


def plain_name(name: str) -> str:
    """`name` as a SQL name that needs no quotes: lower case, anything but letters and digits as _."""
    plain = re.sub(r"[^a-z0-9_]+", "_", name.strip().lower())
    return (f"_{plain}" if plain[:1].isdigit() else plain)[:63]


def closest(name: str, known: Iterable[str]) -> str:
    """A suggestion to put behind an error: ` (did you mean …?)`, or nothing."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""


def _entries(folder: Path) -> list[tuple[Path, str]]:
    """What lies in the folder, with each name without its extension; hidden files and `_SUCCESS` are no data."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder with the CSV or Parquet files.")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name != "_SUCCESS")
    for path in paths:
        if not _is_text(path.resolve()):
            raise UserError(f"The name of {str(path)!r} is not UTF-8: rename it.")
        if not path.is_dir() and (kind := what_instead(path)):
            raise UserError(f"{path} is {kind}, not a file: remove it, or put a file in its place.")
    return [(path, _stem(path)) for path in paths]


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _stem(path: Path) -> str:
    extension = _extension(path) or _text_extension(path)
    if path.is_dir():
        return path.name
    return path.name[: -len(extension)] if extension else path.name.split(".")[0]


def _extension(path: Path) -> str | None:
    return next((extension for extension in reversed(EXTENSIONS) if path.name.lower().endswith(extension)), None)


def _text_extension(path: Path) -> str | None:
    return next((extension for extension in TEXT_EXTENSIONS if path.name.lower().endswith(extension)), None)


def _table_of(stem: str, known: tuple[str, ...]) -> str | None:
    if stem in known:
        return stem
    part = _PART.fullmatch(stem)
    return part["name"] if part and part["name"] in known else None


def _parts(folder: Path, table: str, delimiter: str | None) -> list[SourceFile]:
    return [
        SourceFile(path, table, delimiter)
        for path, _ in _entries(folder)
        if not path.is_dir() and (_extension(path) or (delimiter and _text_extension(path)))
    ]


def _usable(folder: Path, found: Mapping[str, list[SourceFile]]) -> Mapping[str, list[SourceFile]]:
    if not found:
        raise UserError(f"{folder} holds no data: expected files that end in {', '.join(EXTENSIONS)}.")
    for table, files in found.items():
        if not files:
            raise UserError(f"{folder / table} holds no data: {_expected(table)}.")
        stems = [_stem(file.path) for file in files]
        for file, stem in zip(files, stems, strict=True):
            if stems.count(stem) > 1:
                raise UserError(f"{file.path.parent}: {stem} is there in several formats; keep one of them.")
    return found


def _expected(table: str) -> str:
    return "expected " + " or ".join(f"{table}{extension}" for extension in EXTENSIONS)
