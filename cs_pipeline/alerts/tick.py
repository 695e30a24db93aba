"""Do what a tick of alerts does: ask the rules that are due, then plan the messages that are."""

from dataclasses import dataclass, field
from datetime import date, datetime

from cs_pipeline.alerts.evaluate import evaluate_due
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.planning import Planned, plan_messages
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Ticked:
    """What came of it."""

    evaluations: list[Evaluation] = field(default_factory=list)
    planned: Planned = field(default_factory=Planned)


def tick(warehouse: Warehouse, settings: Settings, now: datetime, weekly: date | None = None) -> Ticked:
    """Evaluate as `evaluate_due`, then plan messages.

    What was found before is told also where a rule fails now. Raises InvalidFile for wrong rules.
    """
    evaluations: list[Evaluation] = []
    planned = Planned()
    try:
        evaluations = evaluate_due(warehouse, settings, now, weekly)
    finally:
        planned = plan_messages(warehouse, load_rules(settings.config), settings, now)
    return Ticked(evaluations, planned)
