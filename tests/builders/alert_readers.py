"""Alerts that people read: rules that a test watches for a company, told and delivered hour by hour."""

from datetime import datetime, timedelta

from cs_pipeline.alerts.planning import plan_messages
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from tests.builders.alert_rules import Watched
from tests.builders.company import Company
from tests.builders.delivering import deliver

MORNING = 2  # hours after the rules of a day are asked


class Readers(Watched):
    """What the rules find is told to our own people, into the captures. The baseline is behind."""

    def __init__(self, company: Company, settings: Settings, *rules: Rule) -> None:
        super().__init__(company.warehouse, settings, *rules)
        self.company = company
        self.begin()

    def plan(self) -> None:
        """What the hourly job does after it has evaluated."""
        plan_messages(self.warehouse, self.rules, self.settings, self.now)

    def deliver(self) -> None:
        clock = Clock(self.now)
        deliver(self.warehouse, self.settings, clock, channels_for(self.settings, self.warehouse, clock))

    def day(self, *entities: str, rule: str = "idle") -> None:
        """A day later the rule finds these; what follows is told at once, and in the morning."""
        self.find(*entities, rule=rule)
        self.evaluate()
        self.hours(0, MORNING)

    def hours(self, *hours: int) -> None:
        """Tell what is to be told so many hours from now; now stays what it is."""
        before = self.now
        for hour in hours:
            self.now = before + timedelta(hours=hour)
            self.plan()
            if self.waiting():
                self.deliver()
        self.now = before

    def waiting(self) -> bool:
        return bool(self.run("select 1 from cs.actions where status = 'planned' and due_at <= %s", self.now))

    def read(self, recipient: str = "olga@ours.example") -> list[str]:
        """Subjects of what a reader got, in order, without those of operations."""
        rows = self.run(
            """
            select captured.subject from cs.captured_messages as captured
            inner join cs.actions using (action_key)
            where captured.recipient = %s and actions.playbook = 'alerts' order by captured.captured_at, action_id
            """,
            recipient,
        )
        return [row[0] for row in rows]

    def all_read(self) -> list[tuple[str, str]]:
        """Who got what, in order."""
        return self.run(
            """
            select captured.recipient, captured.subject from cs.captured_messages as captured
            inner join cs.actions using (action_key)
            where actions.playbook = 'alerts' order by captured.captured_at, captured.recipient, action_id
            """
        )

    def alert_id(self, entity: str) -> int:
        ((alert_id,),) = self.run("select max(alert_id) from cs.alerts where entity = %s", entity)
        return alert_id

    def at(self, moment: datetime) -> None:
        self.now = moment
