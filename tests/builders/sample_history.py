"""A small sample company whose history is scored up to the week before last, for tests of what happens next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from cs_pipeline.cli.runtime import open_runtime
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.demo.slices import write_slice
from cs_pipeline.demo.story import Runtime, present_of
from cs_pipeline.demo.truth import load_truth
from cs_pipeline.orchestration.keys import KPIS_JOB
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import build_manifest
from cs_pipeline.warehouse.load import load_folder

COMPANY = SampleCompany(accounts=80, weeks=30, seed=11)
WEEK = timedelta(days=7)
LARGER_COMPANY = SampleCompany(accounts=500, weeks=44, seed=11, events_scale=0.0)
LAST_WEEK = COMPANY.ends_on - WEEK
SCORED_UNTIL = LAST_WEEK - WEEK

_dbt_assets: dict[tuple[dg.WeeklyPartitionsDefinition, Path, int], list[dg.AssetsDefinition]] = {}


@dataclass(frozen=True)
class History:
    """A warehouse with the company in it, and the home folder of whoever works on it."""

    warehouse: Warehouse
    home: Path
    company: SampleCompany = COMPANY

    @property
    def settings(self) -> Settings:
        """Settings whose present is the evening of the day on which the company's data ends."""
        return Settings(
            database_url=self.warehouse.url,  # pyright: ignore[reportArgumentType]
            home=self.home,
            now=present_of(self.company.ends_on),
            first_week=self.company.first_week,
        )

    @contextmanager
    def runtime(self) -> Iterator[Runtime]:
        """The code location and an instance of Dagster on this warehouse; the environment is put back afterwards."""
        before = dict(os.environ)
        try:
            with dbt_assets_built_once(), open_runtime(self.settings) as runtime:
                yield runtime
        finally:
            os.environ.clear()
            os.environ.update(before)

    def count(self, table: str, condition: str = "true") -> int:
        """Rows of a table."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(f"select count(*) from {table} where {condition}")
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """The result of a query."""
        with self.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def dbt_assets_built_once() -> Iterator[None]:
    """To make the assets of a project takes half as long as to make the whole code location."""
    from cs_pipeline.orchestration.assets.dbt import build_dbt_assets

    def build_once(weeks: dg.WeeklyPartitionsDefinition, folder: Path) -> list[dg.AssetsDefinition]:
        manifest = build_manifest(folder)
        made_of = (weeks, manifest, manifest.stat().st_mtime_ns)
        if made_of not in _dbt_assets:
            _dbt_assets[made_of] = build_dbt_assets(weeks, folder)
        return _dbt_assets[made_of]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cs_pipeline.orchestration.build.build_dbt_assets", build_once)
        yield


def score_history(warehouse: Warehouse, folder: Path, company: SampleCompany = COMPANY) -> None:
    """Load the company as known at its end into a migrated database, and score all weeks but the last."""
    generate(folder / "sample", company)
    write_slice(folder / "sample", folder / "slice", before=company.ends_at)
    load_folder(warehouse, folder / "slice")
    history = History(warehouse, folder / "home", company)
    with history.runtime() as runtime:
        runtime.launcher.run_weeks(company.first_week, company.ends_on - 2 * WEEK)


def build_kpis(warehouse: Warehouse, folder: Path) -> None:
    """The job of KPIs, on a warehouse whose history is scored; a role of BI tools may read what is for these."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select from pg_roles where rolname = 'cs_reader'")
        if not cursor.rowcount:
            cursor.execute("create role cs_reader nologin")
    with History(warehouse, folder / "home").runtime() as runtime:
        runtime.launcher.run(KPIS_JOB)


def score_larger_history(warehouse: Warehouse, folder: Path) -> None:
    """The same for the larger company, and its truth."""
    score_history(warehouse, folder, LARGER_COMPANY)
    load_truth(warehouse, folder / "sample")
