"""What a person asked for, as models and a design; what was left open is filled in."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cs_pipeline.backtest.design import Design, design_of
from cs_pipeline.backtest.observations import weeks_of_marts
from cs_pipeline.health.library import find_score_model, score_models
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.warehouse.connection import Warehouse


def chosen_models(asked: Sequence[str], config: Path | None) -> list[ScoreModel]:
    """Models by name or by file (anything that ends in .yaml); all that there are when none is asked for."""
    return [find_score_model(name, config) for name in asked] or list(score_models(config).values())


def chosen_design(warehouse: Warehouse, first: date | None, last: date | None, **settings: int | None) -> Design:
    """The design with these settings (see `design_of`); without a first or last week, those of the marts."""
    earliest, latest = weeks_of_marts(warehouse)
    return design_of(first or earliest, last or latest, **settings)
