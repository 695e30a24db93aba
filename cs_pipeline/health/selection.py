"""Select the score models to compute each week, and the one that counts for each account (C-02, C-17).

Here belongs the choice by tier and lifecycle stage. What the models compute is in `scoring`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.errors import UserError
from cs_pipeline.health.library import load_score_model
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).with_name("selection.yaml")
CONFIG_FILE = "score_selection.yaml"
RULE_COLUMNS = ("tier", "lifecycle_stage", "lifecycle_stage_five")
"""Columns of an account-week that rules may test."""


class Rule(BaseModel):
    """A model, and for whom it counts: accounts that are all that it asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    tier: str | None = None
    lifecycle_stage: Literal["onboarding", "adoption", "retention"] | None = None
    lifecycle_stage_five: Literal["trial", "onboarding", "adoption", "growth", "renewal"] | None = None

    @property
    def asks(self) -> dict[str, str]:
        """What an account must be, by column; empty means every account."""
        return {column: value for column in RULE_COLUMNS if (value := getattr(self, column)) is not None}


class SelectionFile(BaseModel):
    """The rules as their file states them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    active: Annotated[tuple[Rule, ...], Field(min_length=1)]
    side_by_side: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The models of a week, each once, and the rules that make one of them count."""

    rules: tuple[Rule, ...]
    models: tuple[ScoreModel, ...]

    @property
    def is_beside(self) -> bool:
        """True when none of the models counts for anybody: their scores stand beside what counts."""
        return not self.rules

    @cached_property
    def active_models(self) -> tuple[ScoreModel, ...]:
        """Models that may count for somebody."""
        active = {rule.model for rule in self.rules}
        return tuple(model for model in self.models if model.model in active)

    def active(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Positions in `models` of the model that counts for each account of `frame`, with RULE_COLUMNS."""
        names = [model.model for model in self.models]
        chosen = np.full(len(frame), -1)
        for rule in self.rules:
            fits = chosen == -1
            for column, value in rule.asks.items():
                fits &= (frame[column] == value).to_numpy(dtype=bool, na_value=False)
            chosen[fits] = names.index(rule.model)
        return chosen


def load_selection(config: Path | None = None) -> Selection:
    """The selection of the configuration folder if it has one, else the shipped one.

    Raises UserError that names file, line and field of what is wrong, in this file or in a model that it names.
    """
    own = None if config is None else config / CONFIG_FILE
    path = own if own is not None and own.exists() else SHIPPED
    models: dict[str, ScoreModel] = {}

    def check(file: SelectionFile) -> Iterator[Problem]:
        named = [(("active", index, "model"), rule.model) for index, rule in enumerate(file.active)]
        named += [(("side_by_side", index), name) for index, name in enumerate(file.side_by_side)]
        for where, name in named:
            try:
                models.setdefault(name, load_score_model(name, config))
            except UserError as error:
                yield Problem(where, str(error))
        for index, rule in enumerate(file.active[:-1]):
            if not rule.asks:
                yield Problem(("active", index), "fits every account: the rules after it are never reached")
        if file.active[-1].asks:
            message = "expected a model for every account as the last rule: without tier and stage"
            yield Problem(("active", len(file.active) - 1), message)

    file = validate(SelectionFile, path, check)
    return Selection(file.active, tuple(models.values()))


def selection_of(model: ScoreModel) -> Selection:
    """The selection that has one model, which counts for every account."""
    return Selection((Rule(model=model.model),), (model,))


def beside(model: ScoreModel) -> Selection:
    """The selection that has one model, which counts for nobody."""
    return Selection((), (model,))
