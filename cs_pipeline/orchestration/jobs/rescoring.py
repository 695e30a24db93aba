"""Job that scores weeks by another version of a model, beside what counts. Launched by hand.

It writes rows into cs.health_scores but is no materialization of its weeks: what everybody reads stays as it is.
"""

import dagster as dg
from pydantic import Field

from cs_pipeline.backtest.calibrations import record_likelihoods
from cs_pipeline.health.library import find_score_model
from cs_pipeline.history.rescoring import rescore
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import weeks_between
from cs_pipeline.orchestration.keys import HEALTH_SCORES, RESCORE_JOB, SERIAL_TAG, WEEKLY_JOB
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import week_given
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.reports.scores.queries import model_versions
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class RescoreConfig(dg.Config):
    """What the launchpad asks."""

    model: str = Field(description="Name of a score model or variant, or a file that ends in .yaml.")
    first_week: str = Field(description="First week, a Monday as 2024-01-01.")
    last_week: str = Field(description="Last week, a Monday.")
    cohort: str = Field(default="", description="Only accounts that signed up in this month, as 2024-03. Empty: all.")
    segment: str = Field(default="", description="Only accounts of this tier. Empty: all.")


@dg.op(out=dg.Out(dg.Nothing), description="Score weeks under one model, beside what counts. Contacts nobody.")
def score_beside(
    context: dg.OpExecutionContext,
    config: RescoreConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
) -> None:
    """What was scored is told to the asset of the scores, as an observation."""
    model = find_score_model(config.model, settings.config)
    scope = Scope.parse(cohort=config.cohort, segment=config.segment)

    def tell(week: WeekSummary) -> None:
        context.log.info("week %s: %s accounts scored", week.week, week.by_model[model.model].accounts)

    first, last = week_given("first_week", config.first_week), week_given("last_week", config.last_week)
    done = rescore(warehouse, model, first, last, scope, on_week=tell)
    record_likelihoods(warehouse, weeks_between(first, last), (model.model, model.version))
    context.log_event(
        dg.AssetObservation(
            HEALTH_SCORES,
            description=f"{model.model} {model.version} beside what counts, {first} to {last}",
            metadata={
                "model": model.model,
                "model_version": model.version,
                "weeks": len(done),
                "rows": sum(week.by_model[model.model].accounts for week in done),
                "versions": table(model_versions(warehouse)),
            },
        )
    )


@dg.job(
    name=RESCORE_JOB,
    description=(
        "Scores a range of weeks by another version of a score model, beside what counts: is_active, changes and "
        "triggers stay as they are, the marts are not built again. Read it with cs.scores_of(model, version). "
        "See docs/backfill.md."
    ),
    tags={SERIAL_TAG: WEEKLY_JOB, **at_most(hours=12)},
    executor_def=owned_executor,
)
def rescore_weeks() -> None:
    """One op."""
    score_beside()
