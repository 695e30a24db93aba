"""Plan every message about alerts that is due: the one step between evaluating rules and delivering.

To be done each time rules were evaluated, and every hour besides, since mornings come whether or not a rule is due.
What is planned leaves by the outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cs_pipeline.alerts.digest import send_digests
from cs_pipeline.alerts.escalation import escalate_and_remind
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Planned:
    """How many messages were planned."""

    at_once: int = 0
    digests: int = 0

    @property
    def messages(self) -> int:
        """In all."""
        return self.at_once + self.digests


def plan_messages(warehouse: Warehouse, rules: Mapping[str, Rule], settings: Settings, now: datetime) -> Planned:
    """Plan reminders, escalations, what is told at once, and the digests of those whose morning it is.

    Two transactions; asking again changes nothing. Raises UserError for a wrong brand file or alerts.yaml.
    """
    with warehouse.session() as session:
        at_once = escalate_and_remind(session, rules, settings, now)
    with warehouse.session() as session:
        return Planned(at_once, send_digests(session, rules, settings, now))
