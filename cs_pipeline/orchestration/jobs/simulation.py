"""Job that simulates plays on past weeks, for those who work in the Dagster UI. Writes nothing, contacts nobody."""

import dagster as dg
from pydantic import Field

from cs_pipeline.orchestration.keys import ENROLMENTS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import week_given
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named, switched_on
from cs_pipeline.plays.simulation.simulate import simulate_past_weeks
from cs_pipeline.reports.plays.text import SIMULATED_PLAYS_EXPLAINED, simulation_headline
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class SimulationConfig(dg.Config):
    """What the launchpad asks; as it stands, the whole library over the last half year."""

    playbooks: list[str] = Field(default=[], description="Names of playbooks to simulate together; none: all.")
    first_week: str = Field(default="", description="First week, a Monday as 2025-01-06. Empty: 26 weeks back.")
    last_week: str = Field(default="", description="Last week, a Monday. Empty: the newest that is scored.")


@dg.op(out=dg.Out(dg.Nothing), description="Play past weeks through in memory. Contacts nobody, writes nothing.")
def simulate(
    context: dg.OpExecutionContext,
    config: SimulationConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
) -> None:
    """What it came to is told to the asset of the enrolments, as an observation with tables."""
    library = load_playbooks(settings.config)
    found = simulate_past_weeks(
        warehouse,
        {name: playbook_named(name, library) for name in config.playbooks or switched_on(library)},
        settings,
        week_given("first_week", config.first_week) if config.first_week else None,
        week_given("last_week", config.last_week) if config.last_week else None,
        on_week=lambda week: context.log.debug("week %s", week),
    )
    context.log.info(simulation_headline(found))
    context.log_event(
        dg.AssetObservation(
            ENROLMENTS,
            description=simulation_headline(found),
            metadata={
                "columns": SIMULATED_PLAYS_EXPLAINED,
                "plays": table(found.plays),
                "weeks": table(found.weeks),
                "people": table(found.people),
                "reasons": table(found.reasons),
            },
        )
    )


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=12),
    description=(
        "Simulates playbooks on past weeks: who would have entered, what would have been sent or stopped and why, the "
        "load on our people, and what became of those accounts. Writes nothing but its own log. See docs/playbooks.md."
    ),
)
def simulate_plays() -> None:
    """One op."""
    simulate()
