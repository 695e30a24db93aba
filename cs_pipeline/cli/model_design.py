"""Options of commands that learn from past weeks: which ones, how far ahead, whom; and the place of what they write."""

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cs_pipeline.cli.arguments import require_folder_of
from cs_pipeline.errors import UserError

if TYPE_CHECKING:
    from cs_pipeline.backtest.design import Design
    from cs_pipeline.warehouse.connection import Warehouse

LeadWeeks = Annotated[
    int | None, typer.Option("--lead", help="Weeks before a renewal or departure to look. [default: 4]")
]
EveryWeeks = Annotated[int | None, typer.Option("--every", help="Instead, look every so many weeks. [2 with --within]")]
WithinDays = Annotated[
    int | None, typer.Option("--within", help="… for departures within so many days. [30 with --every]")
]
MinTenure = Annotated[int | None, typer.Option(help="Only from so many days after signup.")]
MaxTenure = Annotated[int | None, typer.Option(help="Only up to so many days after signup.")]

OutcomeName = Annotated[
    str, typer.Option("--outcome", help="What to foresee: departure, churn, non_renewal, contraction or expansion.")
]


def design_of_options(
    warehouse: "Warehouse",
    from_: datetime | None,
    to: datetime | None,
    *,
    lead: int | None,
    every: int | None,
    within: int | None,
    min_tenure: int | None,
    max_tenure: int | None,
    outcome: str,
) -> "Design":
    """The design that these options ask for, within the weeks of the marts."""
    from cs_pipeline.backtest.observations import design_within_marts

    return design_within_marts(
        warehouse,
        from_.date() if from_ else None,
        to.date() if to else None,
        lead_weeks=lead,
        every_weeks=every,
        within_days=within,
        min_tenure_days=min_tenure,
        max_tenure_days=max_tenure,
        outcome=outcome,
    )


def require_place_of_model(output: Path) -> None:
    """Raise UserError unless a new model can be written there and be read again."""
    if output.suffix != ".yaml" or not re.fullmatch(r"[a-z][a-z0-9_]*", output.stem):
        raise UserError(f"{output.name} is no name of a score model; expected one like weekly_points_tuned.yaml")
    if output.exists():
        raise UserError(f"{output} is there already; a proposal does not take the place of a model")
    require_folder_of(output)
