"""Job that replays alert rules over the past, for those who work in the Dagster UI. Writes nothing, contacts nobody."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from cs_pipeline.alerts.parameters import values_given
from cs_pipeline.alerts.rulebook import load_rules, rule_named
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import ALERTS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class ReplayConfig(dg.Config):
    """What the launchpad asks; as it stands, all rules over the last year."""

    rules: list[str] = Field(default=[], description="Names of rules; none: all that are on.")
    first_day: str = Field(default="", description="First day, as 2024-06-03. Empty: a year back.")
    last_day: str = Field(default="", description="Last day, until its end. Empty: now.")
    parameters: list[str] = Field(default=[], description="Of one rule: other values, as days=20 or days.pro=20.")


@dg.op(out=dg.Out(dg.Nothing), description="Ask rules at all moments of a past in memory. Writes nothing.")
def replay_rules(
    context: dg.OpExecutionContext,
    config: ReplayConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What it came to is told to the asset of the alerts, as an observation with tables; owners are left out."""
    # The measures need seconds to import, which the code location should not cost.
    from cs_pipeline.alerts.outcomes import read_book
    from cs_pipeline.alerts.overlap import overlap
    from cs_pipeline.alerts.replay import replay
    from cs_pipeline.alerts.replay_report import report
    from cs_pipeline.alerts.scorecard import scorecards
    from cs_pipeline.reports.alerts import replay as words
    from cs_pipeline.reports.alerts import scorecard as of_scorecards

    rules = load_rules(settings.config)
    chosen = {name: rule_named(name, rules) for name in config.rules}
    chosen = chosen or {name: rule for name, rule in rules.items() if rule.is_on}
    last = _day("last_day", config.last_day, clock.now() - timedelta(days=1)) + timedelta(days=1)
    first = _day("first_day", config.first_day, last - timedelta(weeks=52))
    done = replay(warehouse, settings, chosen, first, last, values_given(list(chosen), config.parameters))
    book = read_book(warehouse)
    reports = report(done, book)
    context.log_event(
        dg.AssetObservation(
            ALERTS,
            description=words.headline(done, reports),
            metadata={
                "rules": table(words.table(reports).drop(columns=["per CSM and week"])),
                "scorecards": table(of_scorecards.table(scorecards(done.fired, done.watched(), book))),
                "overlaps": table(words.overlaps(overlap(done))),
                "loudest": table(words.loudest(reports).drop(columns="owner_email")),
                "notes": dg.MetadataValue.md("\n".join(f"- {each}" for each in words.notes(reports)) or "_Nothing._"),
            },
        )
    )


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=12),
    description=(
        "Replays alert rules over the past: how often they would have fired, on whom, what their delays save, and what "
        "they would have been worth. Writes nothing but its own log. See docs/alerts.md."
    ),
)
def replay_alerts() -> None:
    """One op."""
    replay_rules()


def _day(field: str, text: str, without: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else without
    except ValueError:
        raise UserError(f"{field} is {text!r}; expected a day, as 2024-06-03") from None
