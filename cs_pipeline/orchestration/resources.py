"""Resources of assets and ops: the warehouse, the clock, the settings, dbt, and the scope of a run."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version

import dagster as dg
from dagster_dbt import DbtCliResource
from packaging.version import Version
from pydantic import Field, field_validator

from cs_pipeline.clock import Clock
from cs_pipeline.history.scope import Scope
from cs_pipeline.settings import LateRows, Settings
from cs_pipeline.warehouse.dbt_cli import dbt_executable
from cs_pipeline.warehouse.dbt_folder import dbt_folder
from cs_pipeline.warehouse.locate import locate


class ScopeResource(dg.ConfigurableResource):
    """Which accounts a run covers and what it may see; the launchpad's defaults mean every account."""

    cohort: str = Field(default="", description="Only accounts that signed up in this month, as 2024-03. Empty: all.")
    segment: str = Field(default="", description="Only accounts of this tier: starter, pro or enterprise. Empty: all.")
    late_rows: str = Field(
        default="",
        description="exclude or include rows that arrived after a week ended. Empty: as in the settings.",
    )

    @field_validator("late_rows")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in ("", "exclude", "include"):
            raise ValueError(f"late_rows is '{value}'; expected exclude or include")
        return value

    def scope(self) -> Scope:
        """The accounts of the run."""
        return Scope.parse(cohort=self.cohort, segment=self.segment)

    def dbt_variables(self, settings: Settings) -> dict[str, str]:
        """The same scope as dbt variables."""
        late_rows: LateRows | str = self.late_rows or settings.late_rows
        return {"cohort": self.cohort, "segment": self.segment, "late_rows": late_rows}


class InstalledDbt(DbtCliResource):
    """dagster-dbt's resource without two detours that cost seconds a run: asking a process for the version of the dbt
    that is installed beside this interpreter, and loading dbt here for row counts that nobody asks for.
    """

    @property
    def _cli_version(self) -> Version:  # pyright: ignore[reportIncompatibleVariableOverride]
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # noqa: ARG002 # pyright: ignore
        return None


_environment = threading.Lock()


@contextmanager
def environment_of_dbt(variables: Mapping[str, str]) -> Iterator[None]:
    """Within, a dbt process is started with `variables` in its environment, and this process has them no longer after.

    dagster-dbt hands on the environment of its own process, and offers no other way to give dbt a password.
    """
    with _environment:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def build_resources(settings: Settings, clock: Clock) -> dict[str, object]:
    """Resources by name. The warehouse is looked up when a run first asks, so definitions load without one."""

    @dg.resource(description="The PostgreSQL database of the pipeline")
    def warehouse(_: dg.InitResourceContext) -> object:
        return locate(settings)

    folder = os.fspath(dbt_folder(settings))
    return {
        "warehouse": warehouse,
        "clock": dg.ResourceDefinition.hardcoded_resource(clock, description="The present"),
        "settings": dg.ResourceDefinition.hardcoded_resource(settings, description="What the team has set"),
        "scope": ScopeResource(),
        "cs_dbt": InstalledDbt(  # not `dbt`, which others have where all of this is mounted beside theirs
            project_dir=folder,
            profiles_dir=folder,
            dbt_executable=dbt_executable(),
        ),
    }
