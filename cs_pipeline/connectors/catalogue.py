"""Know the connectors there are: vendors, the flavours in which their tables come, and the templates of each."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.source_files import closest
from cs_pipeline.yaml_with_lines import validate

FOLDER = Path(__file__).parent
SPEC, ENDING = "connector.yaml", ".sql.j2"


class Spec(BaseModel):
    """A vendor. `title`: its name. `companies`: by flavour, the table whose rows stand for companies (several names:
    the first that is there). `own_id`: that table's key, our account id where the vendor leads. `account_id`: where
    teams usually keep our id, as SQL over a row `company`. `currencies`: columns that name currencies. `also`: vendors
    whose tables are the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    companies: dict[str, tuple[str, ...]] = {}
    own_id: str = "id"
    account_id: dict[str, tuple[str, ...]] = {}
    currencies: tuple[str, ...] = ()
    also: dict[str, str] = Field(default={}, description="name and title")


@dataclass(frozen=True)
class ShippedConnector:
    """A vendor in one flavour, with the canonical tables that it has templates for."""

    vendor: str
    title: str
    flavour: str
    folder: Path
    spec: Spec

    @property
    def tables(self) -> tuple[str, ...]:
        """In the order of their names."""
        return tuple(sorted(path.name.removesuffix(ENDING) for path in self.folder.glob(f"*{ENDING}")))

    @property
    def expressions(self) -> tuple[str, ...]:
        """Where teams usually keep our account id, as SQL over a row `company`; empty where there is no such row."""
        return self.spec.account_id.get(self.flavour, ())


@cache
def shipped_connectors() -> tuple[ShippedConnector, ...]:
    """All of them, by vendor and flavour."""
    found: list[ShippedConnector] = []
    for path in sorted(FOLDER.glob(f"*/{SPEC}")):
        spec = validate(Spec, path)
        for vendor, title in {path.parent.name: spec.title, **spec.also}.items():
            flavours = sorted(folder for folder in path.parent.iterdir() if any(folder.glob(f"*{ENDING}")))
            found += [ShippedConnector(vendor, title, folder.name, folder, spec) for folder in flavours]
    return tuple(sorted(found, key=lambda each: (each.vendor, each.flavour)))


def find_connector(vendor: str, flavour: str) -> ShippedConnector:
    """The one that was asked for. `flavour` empty: the only one of the vendor, or Fivetran's.

    Raises UserError that names what there is.
    """
    known = shipped_connectors()
    of_vendor = {each.flavour: each for each in known if each.vendor == vendor}
    if not of_vendor:
        vendors = dict.fromkeys(each.vendor for each in known)
        raise UserError(
            f"There is no connector for {vendor!r}{closest(vendor, vendors)}; there are: {', '.join(vendors)}."
        )
    if not flavour:
        flavour = next(iter(of_vendor)) if len(of_vendor) == 1 else "fivetran"
    if flavour not in of_vendor:
        there = ", ".join(of_vendor)
        others = sorted({each.vendor for each in known if each.flavour == flavour})
        beside = f"; --flavour {flavour} exists for {', '.join(others)}" if others else ""
        raise UserError(
            f"There is no connector for {vendor} as {flavour} lands it; {vendor} exists as {there}{beside}."
        )
    return of_vendor[flavour]
