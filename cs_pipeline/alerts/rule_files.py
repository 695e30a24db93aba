"""Find the files of alert rules, and tell versions of them apart. What stands in them is read in `rulebook`."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Versions = tuple[tuple[str, int, int], ...]
"""Path, time of the last change (ns) and size of each file."""


def properties_files(folder: Path) -> list[Path]:
    """The properties files in `folder` and below, in order."""
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def sql_files(folder: Path) -> list[Path]:
    """The SQL of rules in `folder` and below, in order."""
    return sorted(folder.rglob("*.sql"))


def files_in(folders: Iterable[Path]) -> list[Path]:
    """All of these."""
    return [path for folder in folders for path in (*properties_files(folder), *sql_files(folder))]


def versions_of(files: Iterable[Path]) -> Versions:
    """What differs once one of the files has changed, has come or is gone."""
    found: list[tuple[str, int, int]] = []
    for path in files:
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
