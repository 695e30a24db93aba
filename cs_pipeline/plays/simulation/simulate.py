"""Simulate playbooks over past weeks: from names and dates to tables, within one transaction that cannot write."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import cast

from cs_pipeline.errors import UserError
from cs_pipeline.history.weeks import WEEK, require_marts
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.engine import simulate
from cs_pipeline.plays.simulation.forecast import decided_at
from cs_pipeline.plays.simulation.outcomes import outcomes
from cs_pipeline.plays.simulation.tables import SimulationTables
from cs_pipeline.plays.triggers.kinds import KINDS
from cs_pipeline.plays.triggers.point_in_time import PastTriggers
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

USUAL_WEEKS = 26


def simulate_past_weeks(
    warehouse: Warehouse,
    playbooks: Mapping[str, Playbook],
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
    on_week: Callable[[date], None] = lambda _: None,
) -> SimulationTables:
    """Simulate `playbooks` together over the weeks from `first` to `last` (Mondays).

    Without dates: the USUAL_WEEKS up to the newest week that is scored. Playbooks whose trigger has no past (an alert,
    a person) start for nobody; one alone is an error. Raises UserError for days that are no weeks with scores.
    """
    with_a_past = {kind.name for kind in KINDS if kind.has_a_past}
    able = {name: each for name, each in playbooks.items() if each.trigger.kind in with_a_past}
    if not able:
        raise UserError(
            f"{', '.join(playbooks)} cannot be simulated: it is started by alerts or by hand, of which history has none"
        )
    since, until, newest = _weeks(warehouse, first, last)
    triggers = PastTriggers({playbook.trigger.kind for playbook in able.values()}, settings.config)
    with warehouse.session() as session:
        with session.cursor() as cursor:
            cursor.execute("set transaction read only")
        found = simulate(session, able, triggers, settings, since, until, on_week)
        came_of = outcomes(session, found.enrolments, decided_at(newest))
    return SimulationTables(found, came_of)


def _weeks(warehouse: Warehouse, first: date | None, last: date | None) -> tuple[date, date, date]:
    require_marts(warehouse, "fct_account_weeks", "dim_accounts")
    known = query(warehouse, "select min(week) as oldest, max(week) as newest from cs.health_scores where is_active")
    oldest, newest = cast("date | None", known["oldest"].iloc[0]), cast("date | None", known["newest"].iloc[0])
    if oldest is None or newest is None:
        raise UserError("No week is scored yet: run the weekly job, or `cs-pipeline backfill`, first")
    until = last or newest
    since = first or max(oldest, until - (USUAL_WEEKS - 1) * WEEK)
    for day in (since, until):
        if day.weekday() != 0:
            raise UserError(f"{day} is a {day:%A}; weeks are named by the Monday they start")
    if not oldest <= since <= until <= newest:
        raise UserError(f"From {since} to {until} is not within the scored weeks, {oldest} to {newest}")
    return since, until, newest
