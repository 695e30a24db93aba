"""`model retention`: how many accounts of a band, a cohort or a tier are kept so many days later."""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY
from cs_pipeline.cli.console import console, print_frame
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.cli.model_design import OutcomeName
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings


def retention(
    by: Annotated[str, typer.Option(help="Groups: band, cohort (year of signup) or tier.")] = "band",
    week: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="Follow the accounts of this week; without: of half a year ago."),
    ] = None,
    outcome: OutcomeName = "departure",
    as_json: AsJson = False,
) -> None:
    """Show what Green is worth: the share of each band that is kept 30 to 365 days later.

    Example: cs-pipeline model retention --by cohort --week 2025-01-06
    """
    from cs_pipeline.backtest.design import outcome_named
    from cs_pipeline.backtest.survival import HORIZONS, By
    from cs_pipeline.backtest.survival import retention as follow
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.reports.backtest.tables import kept

    groups: dict[str, By] = {"band": "band", "cohort": "cohort", "tier": "tier"}
    if by not in groups:
        raise UserError(f"There are no groups by {by!r}; expected one of {', '.join(groups)}")
    kind = outcome_named(outcome)
    warehouse = start_warehouse(load_settings())
    found = follow(warehouse, groups[by], week.date() if week else None, outcome=kind)
    if as_json:
        print_json(kept(found))
        return
    print_frame(kept(found))
    console.print(Text(f"Share kept after {', '.join(map(str, HORIZONS))} days, with 95 % intervals (Kaplan-Meier)."))
