"""Carry out what a person decides about a batch that the circuit breaker held back: enrol it, or refuse it."""

from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.circuit_breaker import Decision, Trip, close_trip
from cs_pipeline.plays.enrolment.enrol import EnrolmentSummary, enrol, refuse
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import CIRCUIT_BREAKER
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def release(warehouse: Warehouse, playbook: Playbook, settings: Settings, by: str, now: datetime) -> EnrolmentSummary:
    """Enrol the batch; for a day the playbook may enrol as many as it wants.

    Raises UserError where none waits, and where a template of the playbook is wrong.
    """
    Renderer(settings).check(playbook)
    with warehouse.session() as session:
        trip = _decide(session, playbook, "released", by, AsOf(settings, now))
    return enrol(warehouse, playbook, trip.trigger_ids, settings, now)


def dismiss(warehouse: Warehouse, playbook: Playbook, settings: Settings, by: str, now: datetime) -> int:
    """Refuse the batch; the next one is judged anew. Returns how many triggers are refused."""
    with warehouse.session() as session:
        trip = _decide(session, playbook, "dismissed", by, AsOf(settings, now))
        return refuse(session, playbook, trip.trigger_ids, CIRCUIT_BREAKER, now)


def _decide(session: Session, playbook: Playbook, decision: Decision, by: str, as_of: AsOf) -> Trip:
    trip = close_trip(session, playbook.playbook, decision, by, as_of)
    if trip is None:
        raise UserError(f"Nothing of {playbook.playbook} waits for a decision; `cs-pipeline doctor` lists what does")
    return trip
