"""Alert rules of a test's own: a view over a table that the test fills, so that it says what a rule finds."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cs_pipeline.alerts.evaluate import evaluate_rules
from cs_pipeline.alerts.evaluation import Evaluation
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.kept_sessions import run

START = datetime(2025, 3, 10, 6, tzinfo=UTC)
DAY = timedelta(days=1)

MIGRATIONS = "cs.migrations"
META = {
    "title": "{entity} is at {measured:.0f}",
    "type": "risk",
    "polarity": "negative",
    "nature": "state",
    "schedule": "daily",
    "notify": {"to": "owner"},
}

VIEW = """
create view alerts.{name} as
select
    cast(moment as timestamptz) as as_of, found.account_id, found.entity, found.measured,
    1::double precision as held_against, '{{}}'::jsonb as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)
cross join found
where found.rule = '{name}'
"""


def rule(name: str = "idle", **meta: object) -> Rule:
    """A rule whose alerts fire at once and end after one evaluation without, unless `meta` says otherwise."""
    alert = Alert.model_validate({**META, "resolve_after": "1 evaluation", **meta})
    return Rule(name, alert, "custom", Path(f"_{name}.yml"))


class Watched:
    """Rules over a table `found` of a warehouse. `now` goes on by a day at each evaluation."""

    def __init__(self, warehouse: Warehouse, settings: Settings, *rules: Rule) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.rules = {each.name: each for each in rules}
        self.now = START - DAY
        self.run("create schema alerts")
        self.run("create table found (rule text, account_id text, entity text, measured double precision)")
        for each in rules:
            self.run(VIEW.format(name=each.name))

    def find(self, *entities: str, rule: str = "idle", measured: float = 2) -> None:
        """From now on the rule finds these accounts, and no others ('account/entity' where they differ)."""
        self.run("delete from found where rule = %s", rule)
        for entity in entities:
            self.add(entity, rule=rule, measured=measured)

    def add(self, entity: str, rule: str = "idle", measured: float = 2) -> None:
        account, _, about = entity.partition("/")
        self.run("insert into found values (%s, %s, %s, %s)", rule, account, about or account, measured)

    def change(self, name: str = "idle", **meta: object) -> None:
        """Change the meta of a rule."""
        given = self.rules[name].alert.model_dump(by_alias=True, exclude_unset=True)
        alert = Alert.model_validate({**META, "resolve_after": "1 evaluation", **_as_written(given), **meta})
        self.rules[name] = replace(self.rules[name], alert=alert)

    def evaluate(self, after: timedelta = DAY) -> list[Evaluation]:
        """Evaluate what is due when so much time has passed."""
        self.now += after
        return evaluate_rules(self.warehouse, self.rules, self.settings, self.now)

    def evaluate_week(self, week: date) -> list[Evaluation]:
        """Evaluate what is due when a week (its Monday) has been scored."""
        return evaluate_rules(self.warehouse, self.rules, self.settings, self.now, week)

    def accounts(self, *names: str, churned_at: datetime | None = None) -> None:
        """Customers since long ago."""
        self.run("create schema if not exists staging")
        self.run(
            "create table if not exists staging.stg_accounts "
            "(account_id text primary key, created_at timestamptz, churned_at timestamptz)"
        )
        for name in names:
            self.run("insert into staging.stg_accounts values (%s, %s, %s)", name, START - 900 * DAY, churned_at)

    def tick(self, *entities: str, rule: str = "idle") -> Evaluation:
        """A day later the rule finds these: what came of it."""
        self.find(*entities, rule=rule)
        (evaluation,) = [each for each in self.evaluate() if each.rule == rule]
        return evaluation

    def begin(self) -> None:
        """The baseline: nothing is found."""
        self.evaluate()

    def told(self, ids: Iterable[int]) -> list[str]:
        """The entities of alerts."""
        return [
            row[0] for row in self.run("select entity from cs.alerts where alert_id = any(%s) order by 1", list(ids))
        ]

    def states(self, rule: str = "idle") -> list[tuple]:
        """Entity and state of every alert, in the order in which they began."""
        return self.run("select entity, state from cs.alerts where rule = %s order by alert_id", rule)

    def notices(self) -> list[str]:
        """Subjects of what operations were told."""
        return [row[0] for row in self.run("select subject from cs.notices order by notice_id")]

    def run(self, sql: str, *parameters: object) -> list[tuple]:
        return run(self.warehouse, sql, *parameters)


def empty(warehouse: Warehouse) -> None:
    """Take away what tests of alerts leave behind."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("drop schema if exists alerts cascade; drop schema if exists staging cascade")
        cursor.execute("drop table if exists found, apart cascade")
        cursor.execute("select format('cs.%I', tablename) from pg_tables where schemaname = 'cs'")
        ours = [name for (name,) in cursor.fetchall() if name != MIGRATIONS]
        cursor.execute(" union all ".join(f"select '{name}' where exists (select 1 from {name})" for name in ours))
        if written := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"truncate {', '.join(written)} restart identity cascade")


def _as_written(meta: dict[str, object]) -> dict[str, object]:
    """Durations and evaluations as YAML has them."""
    written = dict(meta)
    for name, value in meta.items():
        if isinstance(value, timedelta):
            written[name] = f"{int(value.total_seconds() // 60)} minutes"
    if isinstance(meta.get("resolve_after"), int):
        written["resolve_after"] = f"{meta['resolve_after']} evaluations"
    return written
