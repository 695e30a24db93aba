"""The examples, for tests: their rows in a warehouse, and a history of them with a live week at its end.

Their files are outside the repository (fixture `shared_data`); no row of them is copied into it. A history is only some
weeks long, which is what a test can wait for. The rows are all there, but for those of the largest example: of it some
accounts are brought in, with all that is theirs, and all of them where `CS_PIPELINE_TEST_WHOLE_EXAMPLES` is set.
"""

import gzip
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from cs_pipeline.demo.examples import bring_in, example_settings, find_example
from cs_pipeline.demo.story import let_weeks_happen
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load_report import LoadReport
from tests.builders.sample_history import WEEK, History
from tests.conftest import WHOLE_EXAMPLES

FOLDERS = {"oulad": "oulad_aaa", "churnsim": "churnsim_crm", "ravenstack": "ravenstack"}
WEEKS_OF_HISTORY = 12
LARGEST = "churnsim"
EVERY = 5
"""Of the largest example, accounts whose number is a multiple of this are a part."""


@dataclass(frozen=True)
class BroughtIn:
    """An example's rows in a warehouse of their own, and what bringing them in reported."""

    name: str
    warehouse: Warehouse
    report: LoadReport
    is_whole: bool

    @property
    def live_week(self) -> date:
        """The week that the schedule scores: the last that is over at the example's present."""
        return find_example(self.name).ends_on - WEEK

    @property
    def first_week(self) -> date:
        """The first week of the history."""
        return self.live_week - WEEKS_OF_HISTORY * WEEK


@dataclass(frozen=True, kw_only=True)
class ExampleHistory(History):
    """An example whose history is scored and whose last days have happened."""

    name: str

    @property
    def settings(self) -> Settings:
        """What the example asks for, as its demo runs it."""
        asked = example_settings(self.name)
        return Settings.model_validate({"database_url": self.warehouse.url, "home": self.home, **asked})


def bring_in_example(warehouse: Warehouse, name: str, shared_data: Path, scratch: Path) -> BroughtIn:
    """Land the example's files, or in `scratch` a part of them, and pull them through its mappings."""
    files = shared_data / FOLDERS[name]
    is_whole = name != LARGEST or WHOLE_EXAMPLES in os.environ
    if not is_whole:
        files = take_part(files, scratch)
    return BroughtIn(name, warehouse, bring_in(warehouse, name, files, lambda _: None), is_whole)


def take_part(files: Path, folder: Path) -> Path:
    """Copy the files to `folder`, but only the rows of some accounts of those whose first column is the account."""
    for file in files.glob("*.csv.gz"):
        with gzip.open(file) as rows, gzip.open(folder / file.name, "wb", compresslevel=1) as taken:
            taken.write(next(rows))
            taken.writelines(row for row in rows if int(row.partition(b",")[0]) % EVERY == 0)
    for file in files.glob("*.csv"):
        shutil.copy(file, folder)
    return folder


def live_through(example: BroughtIn, home: Path) -> ExampleHistory:
    """Score the history in one run, then let the last Monday and the day after it happen, as the demo does."""
    history = ExampleHistory(example.warehouse, home, name=example.name)
    monday = datetime.combine(example.live_week + WEEK, time(), UTC)
    with history.runtime() as runtime:
        runtime.launcher.run_weeks(example.first_week, example.live_week - WEEK)
        let_weeks_happen(runtime, monday, monday + timedelta(days=1), lambda _: None)
    return history
