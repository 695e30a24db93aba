"""The backtest as an asset: did the score models know who would leave? No part of the weekly job."""

from datetime import date

import dagster as dg
from pydantic import Field

from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import (
    ACCOUNT_WEEKS,
    BACKTEST,
    CUSTOMER_SUCCESS,
    DATA_PLATFORM,
    HEALTH_GROUP,
    SUBSCRIPTION_TERMS,
)
from cs_pipeline.orchestration.metadata import picture, table
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class BacktestConfig(dg.Config):
    """What the launchpad asks; as it stands, everything that the marts hold, four weeks before each renewal."""

    models: list[str] = Field(default=[], description="Names of score models; none: all.")
    first_week: str = Field(default="", description="First week, a Monday as 2024-01-01. Empty: the first built.")
    last_week: str = Field(default="", description="Last week, a Monday. Empty: the last built.")
    lead_weeks: int = Field(default=4, description="Weeks before each renewal or departure to look.")
    every_weeks: int | None = Field(default=None, description="Instead, look every so many weeks.")
    within_days: int | None = Field(default=None, description="With every_weeks: for departures within so many days.")


@dg.asset(
    key=BACKTEST,
    deps=[ACCOUNT_WEEKS, SUBSCRIPTION_TERMS],
    group_name=HEALTH_GROUP,
    owners=[CUSTOMER_SUCCESS, DATA_PLATFORM],
    kinds={"python", "scikitlearn"},
    description=(
        "Score models held against what happened: AUC, lift, departures per band, weeks of warning, and beside them "
        "what a logistic regression and gradient boosting reach with the same metrics. Where there is too little data, "
        "it says so. Writes a page into the home folder. Launch it by hand, or monthly. See docs/backtest.md."
    ),
)
def backtest_of_models(
    context: dg.AssetExecutionContext,
    config: BacktestConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:
    """Judge the models and show what came of it."""
    # scikit-learn takes a second to import, which the code location should not cost.
    from cs_pipeline.backtest.comparison import backtest
    from cs_pipeline.backtest.observations import design_within_marts
    from cs_pipeline.health.library import find_score_models
    from cs_pipeline.reports.backtest import charts, tables
    from cs_pipeline.reports.backtest.page import backtest_page
    from cs_pipeline.reports.backtest.text import summary, verdict
    from cs_pipeline.reports.charts import as_png

    is_rhythmic = config.every_weeks is not None or config.within_days is not None
    design = design_within_marts(
        warehouse,
        _week("first_week", config.first_week),
        _week("last_week", config.last_week),
        lead_weeks=None if is_rhythmic else config.lead_weeks,
        every_weeks=config.every_weeks,
        within_days=config.within_days,
    )
    models = find_score_models(config.models, settings.config)
    found = backtest(warehouse, models, design, on_model=lambda name: context.log.info("judging %s", name))
    page = settings.home.absolute() / "backtest.html"
    page.write_text(backtest_page(found), encoding="utf-8")
    said = [(result.model.model, verdict(result)) for result in found.models]
    single = charts.best_single_metrics(found)
    return dg.MaterializeResult(
        metadata={
            "observations": len(found.observations),
            "departures": found.departures,
            "looked_at": summary(found),
            "verdicts": dg.MetadataValue.md("\n".join(f"- **{name}**: {each.headline}" for name, each in said)),
            "page": dg.MetadataValue.path(page),
            "models": table(tables.compared(found)),
            "beside_baselines": table(tables.beside_baselines(found)),
            "warning": table(tables.alarms(found.models)),
            "separation": picture(as_png(charts.separation_of_models(found)), "Separation"),
            "beside_baselines_chart": picture(
                as_png(charts.separation_beside_baselines(found)), "Beside the baselines"
            ),
            **({} if single is None else {"single_metrics": picture(as_png(single), "Single metrics")}),
        }
    )


def _week(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UserError(f"{name} is {text!r}; expected a Monday, as 2024-01-01") from None
