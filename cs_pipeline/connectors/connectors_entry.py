"""Enter a source in `connectors.yaml`: behind what stands there, which is the team's and never changed here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cs_pipeline.connectors.catalogue import ShippedConnector
from cs_pipeline.connectors.landed_schema import LandedTable, first_spelled, spelled
from cs_pipeline.warehouse.connectors_file import FILE, Connector

_HEAD = """\
# Where each source is and how its rows name our accounts. `account_id`: SQL over the row `company` that stands for a
# company there; the first that is not empty counts. Rows without one are found by the address of their person, then by
# its domain (never one of a provider of free mail). `leads`: where several sources describe accounts or users, this
# one's rows decide, and others fill what is empty. Change it, run `cs-pipeline connect` again, and
# `cs-pipeline connect --check` says what was found.
connectors:
"""


@dataclass(frozen=True)
class Proposed:
    """What the file is to say of a source; `absent`: usual places of our id whose columns are not there."""

    connector: Connector
    absent: Sequence[str]
    currencies: Sequence[str]


def propose(
    shipped: ShippedConnector,
    schema: str,
    landed: Mapping[str, LandedTable],
    leads: Sequence[str],
    currencies: Sequence[str],
) -> Proposed:
    """An entry for a source that has none. Of several currencies the first, the most frequent one, counts as is."""
    there, absent = _expressions(shipped, landed, leads)
    said = {"schema": schema, "flavour": shipped.flavour, "leads": list(leads), "account_id": there}
    rates = dict.fromkeys(currencies[:1], 1.0)
    return Proposed(Connector.model_validate({**said, "currencies": rates}), absent, currencies)


def enter(folder: Path, name: str, proposed: Proposed) -> None:
    """Write the entry behind what the file says."""
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    if not re.search(r"(?m)^connectors:\s*(#.*)?$", text):
        text = text.rstrip("\n") + "\nconnectors:\n"
    path.write_text(text.rstrip("\n") + "\n" + _entry(name, proposed), encoding="utf-8")


def _expressions(
    shipped: ShippedConnector, landed: Mapping[str, LandedTable], leads: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Where our id stands: expressions whose columns are there, and those whose columns are not."""
    names = shipped.spec.companies.get(shipped.flavour, ())
    found = first_spelled(names, landed)
    if found is None:
        return [], []
    columns = landed[found].columns
    usual = list(shipped.expressions)
    there = [each for each in usual if set(re.findall(r'company\."?(\w+)', each)) <= set(columns)]
    if "accounts" in leads:
        own = spelled(shipped.spec.own_id, columns)
        there.append(f"company.{columns[own].quoted if own else shipped.spec.own_id}")
    return there, [each for each in usual if each not in there]


def _entry(name: str, proposed: Proposed) -> str:
    connector, absent, currencies = proposed.connector, proposed.absent, proposed.currencies
    lines = [f"  {name}:", f"    schema: {_quoted(connector.place or '')}", f"    flavour: {connector.flavour}"]
    if connector.leads:
        lines.append(f"    leads: [{', '.join(connector.leads)}]")
    lines += ["    account_id:"] if connector.account_id else ["    # account_id:"] if absent else []
    lines += [f"      - {_quoted(each)}" for each in connector.account_id]
    lines += [f"    #   - {_quoted(each)}  # once there is such a column" for each in absent]
    if currencies:
        first, *others = currencies
        lines += ["    currencies:  # what one unit is worth in the reporting currency; rows of others are put aside"]
        lines += [f"      {first}: 1", *(f"      # {each}: " for each in others)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[a-z][\w.]*", text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
