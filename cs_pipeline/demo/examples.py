"""Example data sets that nobody here wrote: where their mappings are, and how their files are brought in.

An example is a folder under `examples/` with one mapping per canonical table and an `example.yaml`; where the shipped
score model asks for what the data do not have, also a model of its own: the folder is then a configuration folder, with
`score_models/` and `score_selection.yaml`. The files are downloaded by whoever wants to see it; the example's README
names their public source.
"""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cs_pipeline.demo.story import present_of
from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import CONFIG_FILE
from cs_pipeline.project_folder import PROJECT
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.land import land_folder
from cs_pipeline.warehouse.load_report import LoadReport
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_sync import sync_mappings
from cs_pipeline.yaml_with_lines import validate

EXAMPLES = PROJECT / "examples"


class Example(BaseModel):
    """What `example.yaml` says.

    title, source: what it is and where the files come from. present: the moment the clock is set to. first_week: the
    first week to score, a Monday. weeks: how many weeks from it are scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    source: str
    present: datetime
    first_week: date
    weeks: int

    @property
    def ends_on(self) -> date:
        """The Monday of the example's present."""
        return self.present.date()


def find_example(name: str) -> Example:
    """The example `name`. Raises UserError when there is none, naming those there are."""
    known = sorted(path.parent.name for path in EXAMPLES.glob("*/example.yaml"))
    if name not in known:
        raise UserError(f"There is no example '{name}'; there are: {', '.join(known)}")
    return validate(Example, EXAMPLES / name / "example.yaml")


def example_settings(name: str) -> dict[str, str]:
    """Fields of Settings, and what they must be to see the example `name`."""
    example = find_example(name)
    asked = {"now": present_of(example.ends_on).isoformat(), "first_week": example.first_week.isoformat()}
    if (EXAMPLES / name / CONFIG_FILE).exists():
        asked["config"] = str(EXAMPLES / name)
    return asked


def bring_in(warehouse: Warehouse, name: str, data: Path, tell: Callable[[str], None]) -> LoadReport:
    """Land the files in `data` as they are, install the example's mappings, and pull its rows through the contract."""
    example = find_example(name)
    if not data.is_dir():
        raise UserError(
            f"{data} is not a folder. Download the files of {example.title} from {example.source} "
            f"and say where they are: cs-pipeline demo --example {name} --data FOLDER"
        )
    tell(f"Landing the files of {data}")
    land_folder(warehouse, data)
    tell("Bringing the mapped rows through the source contract")
    install_mappings(warehouse, EXAMPLES / name)
    return sync_mappings(warehouse)
