"""`play release`, `play dismiss`: decide on a batch that was too large to enrol without asking."""

from typing import TYPE_CHECKING

from cs_pipeline.cli.arguments import PlaybookName, Who, who_decides
from cs_pipeline.cli.console import say_done
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Session

    from cs_pipeline.plays.enrolment.circuit_breaker import Decision, Trip
    from cs_pipeline.plays.facts.query import AsOf
    from cs_pipeline.plays.playbooks.schema import Playbook


def release(playbook: PlaybookName, by: Who = "") -> None:
    """Enrol a batch that the circuit breaker held back.

    For a day the playbook may enrol as many as it wants.
    """
    from cs_pipeline.plays.enrolment.enrol import enrol
    from cs_pipeline.plays.messages.renderer import Renderer
    from cs_pipeline.warehouse.locate import locate

    settings, as_of, found = _asked(playbook)
    Renderer(settings).check(found)
    warehouse = locate(settings)
    with warehouse.session() as session:
        trip = _decide(session, playbook, "released", by, as_of)
    summary = enrol(warehouse, found, trip.trigger_ids, settings, as_of.now)
    refused = sum(summary.refused.values())
    say_done(f"{playbook} goes on: {summary.enrolled:,} enrolled, {refused:,} refused by now")


def dismiss(playbook: PlaybookName, by: Who = "") -> None:
    """Refuse a batch that the circuit breaker held back; the next one is judged anew."""
    from cs_pipeline.plays.enrolment.enrol import refuse
    from cs_pipeline.plays.reasons import CIRCUIT_BREAKER
    from cs_pipeline.warehouse.locate import locate

    settings, as_of, found = _asked(playbook)
    with locate(settings).session() as session:
        trip = _decide(session, playbook, "dismissed", by, as_of)
        refused = refuse(session, found, trip.trigger_ids, CIRCUIT_BREAKER, as_of.now)
    say_done(f"{refused:,} triggers of {playbook} are refused")


def _asked(name: str) -> "tuple[Settings, AsOf, Playbook]":
    from cs_pipeline.plays.facts.query import AsOf
    from cs_pipeline.plays.playbooks.schema import load_playbooks, playbook_named

    settings = load_settings()
    playbook = playbook_named(name, load_playbooks(settings.config))
    return settings, AsOf(settings, Clock(settings.now).now()), playbook


def _decide(session: "Session", playbook: str, decision: "Decision", by: str, as_of: "AsOf") -> "Trip":
    from cs_pipeline.plays.enrolment import circuit_breaker

    trip = circuit_breaker.close_trip(session, playbook, decision, who_decides(by), as_of)
    if trip is None:
        raise UserError(f"Nothing of {playbook} waits for a decision; `cs-pipeline doctor` lists what does")
    return trip
