"""Find the files of a mapping folder: of which canonical table each is, from which source, and which source leads.

`<table>.sql` is the only source of its table, or the leading one beside the files of a folder `<table>/`, each of which
is named after its source: `users/hubspot.sql`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connectors_file import FILE, SOURCE_NAME, read_connectors
from cs_pipeline.warehouse.contract import Contract
from cs_pipeline.warehouse.source_files import closest

LED = ("accounts", "users")
"""Tables in which rows of several sources are about the same account or user; elsewhere they are united."""


@dataclass(frozen=True)
class MappingFile:
    """A select. `source`: None for `<table>.sql`. `leads`: its rows decide, where sources describe the same things."""

    table: str
    source: str | None
    path: Path
    leads: bool = True

    @property
    def view(self) -> str:
        """The view of schema `mapping` that it becomes."""
        return self.table if self.source is None else f"{self.table}__{self.source}"


def mapping_files(folder: Path, contract: Contract) -> list[MappingFile]:
    """The folder's selects, those of a table together and the leading one first.

    Raises UserError for a name that is no canonical table or no source, and for accounts or users from several sources
    of which none is said to lead.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder with one <table>.sql per canonical table.")
    connectors = read_connectors(folder)
    found: dict[str, list[MappingFile]] = {}
    for path in sorted(folder.glob("*.sql")):
        _require_table(path, path.stem, contract)
        found.setdefault(path.stem, []).append(MappingFile(path.stem, None, path))
    for path in sorted(folder.glob("*/*.sql")):
        _require_table(path.parent, path.parent.name, contract)
        if not SOURCE_NAME.fullmatch(path.stem):
            raise UserError(f"{path}: name the file after its source, in lower-case letters, digits and _.")
        found.setdefault(path.parent.name, []).append(MappingFile(path.parent.name, path.stem, path))
    stated = {table: connectors.leader_of(table) for table in LED}
    return [file for table in sorted(found) for file in _leader_first(found[table], stated, folder)]


def _require_table(path: Path, name: str, contract: Contract) -> None:
    if name not in contract.tables:
        raise UserError(f"{path}: {name!r} is not a table of the source contract{closest(name, contract.tables)}.")


def _leader_first(files: list[MappingFile], stated: Mapping[str, str | None], folder: Path) -> list[MappingFile]:
    table = files[0].table
    if table not in LED or len(files) == 1:
        return files
    leader = stated[table]
    first = [file for file in files if file.source == leader]
    if not first:
        names = ", ".join(str(file.path.relative_to(folder)) for file in files)
        raise UserError(
            f"{folder}: {names} describe the same {table}, and nothing says which of them decides. Write into "
            f"{folder / FILE}, under the one that does: `leads: [{table}]`."
        )
    return [*first, *(MappingFile(f.table, f.source, f.path, leads=False) for f in files if f not in first)]
