"""Read `connectors.yaml`, which stands in a mapping folder: where each source is, how its rows name our accounts, and
which source leads where several describe the same accounts or users.

`cs-pipeline connect` adds to the file, the team edits it. What expressions become is up to `cs_pipeline.connectors`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.yaml_with_lines import Problem, validate

FILE = "connectors.yaml"
SOURCE_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")

LedTable = Literal["accounts", "users"]


class Connector(BaseModel):
    """A source. `schema`: where its tables are; `flavour`: who brought them there. `leads`: the tables whose rows it
    decides, others only add to them. `account_id`: SQL over the row that stands for a company, the first that is not
    empty counts. `currencies`: what one unit is worth in the reporting currency; empty: amounts stay as they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    place: str | None = Field(default=None, alias="schema", min_length=1)
    flavour: str | None = None
    leads: tuple[LedTable, ...] = ()
    account_id: tuple[str, ...] = ()
    currencies: dict[str, float] = {}


class ConnectorsFile(BaseModel):
    """The whole file: sources by name, which is that of their files (`tickets/zendesk.sql` is of `zendesk`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connectors: dict[str, Connector] = {}

    def leader_of(self, table: str) -> str | None:
        """The source that leads a table, if one is stated."""
        return next((name for name, each in self.connectors.items() if table in each.leads), None)


def read_connectors(folder: Path) -> ConnectorsFile:
    """What the folder's file says; nothing where there is none. Raises InvalidFile with file, line and field."""
    path = folder / FILE
    return validate(ConnectorsFile, path, _problems) if path.exists() else ConnectorsFile()


def _problems(file: ConnectorsFile) -> Iterator[Problem]:
    for name, each in file.connectors.items():
        where = ("connectors", name)
        if not SOURCE_NAME.fullmatch(name):
            yield Problem(where, "a source is named in lower-case letters, digits and _, as its files are")
        for table in each.leads:
            if name != (first := file.leader_of(table)):
                yield Problem((*where, "leads"), f"{first} leads {table} already; one source leads")
        for currency, rate in each.currencies.items():
            if not re.fullmatch("[a-z]{3}", currency) or rate <= 0:
                yield Problem((*where, "currencies"), "expected codes of three lower-case letters, rates above 0")
