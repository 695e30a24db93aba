"""Which files of a folder hold which table: names and extensions, not contents.

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

EXTENSIONS = (".csv", ".csv.gz", ".parquet")
_PART = re.compile(r"(?P<name>.+?)[_-](?:part[_-]?)?\d[\d_-]*")


@dataclass(frozen=True)
class SourceFile:
    """A data file and the table it belongs to."""

    path: Path
    table: str

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


def canonical_files(folder: Path, tables: Iterable[str]) -> Mapping[str, list[SourceFile]]:
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
                found.setdefault(table, []).extend(_parts(path, table))
        elif _extension(path) is None:
            if table:
                raise UserError(f"{path}: {path.suffix or 'no extension'} cannot be read; {_expected(table)}.")
        elif table is None:
            raise UserError(f"{path}: {stem!r} is not a table of the source contract{closest(stem, known)}.")
        else:
            found.setdefault(table, []).append(SourceFile(path, table))
    return _usable(folder, found)


def landing_files(folder: Path) -> Mapping[str, list[SourceFile]]:
    """The files of `folder` by the landing table they fill: the file's (or subfolder's) name as a plain SQL name.

    Raises UserError for a folder that is absent or without data, and for two files that would fill the same table.
    """
    found: dict[str, list[SourceFile]] = {}
    for path, stem in _entries(folder):
        table = plain_name(stem)
        if path.is_dir():
            found.setdefault(table, []).extend(_parts(path, table))
        elif _extension(path) is not None:
            found.setdefault(table, []).append(SourceFile(path, table))
        if sum(file.path.parent == folder for file in found.get(table, ())) > 1:
            raise UserError(f"{folder}: two files would fill landing.{table}; keep one, or put parts into a folder.")
    return _usable(folder, {table: files for table, files in found.items() if files})


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
    extension = _extension(path)
    if path.is_dir():
        return path.name
    return path.name[: -len(extension)] if extension else path.name.split(".")[0]


def _extension(path: Path) -> str | None:
    return next((extension for extension in reversed(EXTENSIONS) if path.name.lower().endswith(extension)), None)


def _table_of(stem: str, known: tuple[str, ...]) -> str | None:
    if stem in known:
        return stem
    part = _PART.fullmatch(stem)
    return part["name"] if part and part["name"] in known else None


def _parts(folder: Path, table: str) -> list[SourceFile]:
    return [SourceFile(path, table) for path, _ in _entries(folder) if _extension(path)]


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
