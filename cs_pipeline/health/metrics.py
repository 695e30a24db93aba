"""The metrics that a score model may use: the numeric columns of the mart with one row per account and week.

They are described once, in the properties file of `fct_account_weeks`: the `meta` of a column says its unit, its name
in words, whether more of it or less is healthier, and the table of the source contract that its values come from. How a
metric is computed is up to dbt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, Field, ValidationError

from cs_pipeline.dbt_files import DBT_PROJECT, read_properties
from cs_pipeline.yaml_with_lines import Problem, validate

MART = "fct_account_weeks"
FILE = DBT_PROJECT / "models" / "marts" / f"_{MART}.yml"
NUMERIC = ("double precision", "integer", "bigint")

Unit = Literal[
    "ratio",  # 0.8 is 80 %
    "count",
    "days",
    "hours",
    "minutes",
    "flag",  # 0 no, 1 yes
    "level",  # 0 none, 1 some, 2 critical
    "ten",  # an answer on a scale of 0 to 10
    "money",  # in the reporting currency
]

Healthier = Literal[
    "more",
    "less",
    "either",  # nobody expects a direction: size, age, or what tells both ways
]


@dataclass(frozen=True)
class Metric:
    """A numeric column of `fct_account_weeks`; null there means missing."""

    name: str
    unit: Unit
    words: str
    healthier: Healthier
    source: str
    """Table of the source contract that its values come from."""

    @property
    def values(self) -> tuple[float, ...] | None:
        """All values it can take, where these are few."""
        return {"flag": (0.0, 1.0), "level": (0.0, 1.0, 2.0)}.get(self.unit)


class _Meta(BaseModel):
    unit: Unit | None = None
    words: str | None = None
    healthier: Healthier | None = None
    source: str | None = None


class _Config(BaseModel):
    meta: _Meta = _Meta()


class _Column(BaseModel):
    name: str
    data_type: str
    config: _Config = _Config()


class _Model(BaseModel):
    name: str
    columns: tuple[_Column, ...] = ()


class _Properties(BaseModel):
    """As much of a dbt properties file as is read here."""

    models: tuple[_Model, ...] = Field(min_length=1)


def read_metrics(path: Path = FILE) -> Mapping[str, Metric]:
    """The metrics by name, in the order of the columns.

    Raises InvalidFile, with file, line and field, when the file is missing, is no properties file of the mart, or a
    numeric column lacks its unit, words, direction or source.
    """
    try:
        properties = _Properties.model_validate(read_properties(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        properties = None
    if properties is None or list(_problems(properties)):
        properties = validate(
            _Properties, path, _problems
        )  # again and slowly: it says what is wrong, and in which line
    return {
        column.name: Metric(column.name, meta.unit, meta.words, meta.healthier, meta.source)
        for column in properties.models[0].columns
        for meta in [column.config.meta]
        if column.data_type in NUMERIC and meta.unit and meta.words and meta.healthier and meta.source
    }


def _problems(properties: _Properties) -> Iterator[Problem]:
    (model, *others) = properties.models
    if model.name != MART or others:
        yield Problem(("models",), f"expected {MART} and no other model")
    for number, column in enumerate(model.columns):
        if column.data_type not in NUMERIC:
            continue
        for field, value in column.config.meta:
            if value is None:
                where = ("models", 0, "columns", number, "config", "meta", field)
                yield Problem(where, f"is missing; {column.name} is numeric, so it is a metric")


METRICS = read_metrics()
