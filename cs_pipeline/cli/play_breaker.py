"""`play release`, `play dismiss`: decide on a batch that was too large to enrol without asking."""

from typing import TYPE_CHECKING

from cs_pipeline.cli.arguments import PlaybookName, Who, who_decides
from cs_pipeline.cli.console import say_done
from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.playbooks.schema import Playbook


def release(playbook: PlaybookName, by: Who = "") -> None:
    """Enrol a batch that the circuit breaker held back.

    For a day the playbook may enrol as many as it wants.
    """
    from cs_pipeline.plays.enrolment import held_back
    from cs_pipeline.warehouse.locate import locate

    settings, found = _asked(playbook)
    now = Clock(settings.now).now()
    summary = held_back.release(locate(settings), found, settings, who_decides(by), now)
    refused = sum(summary.refused.values())
    say_done(f"{playbook} goes on: {summary.enrolled:,} enrolled, {refused:,} refused by now")


def dismiss(playbook: PlaybookName, by: Who = "") -> None:
    """Refuse a batch that the circuit breaker held back; the next one is judged anew."""
    from cs_pipeline.plays.enrolment import held_back
    from cs_pipeline.warehouse.locate import locate

    settings, found = _asked(playbook)
    refused = held_back.dismiss(locate(settings), found, settings, who_decides(by), Clock(settings.now).now())
    say_done(f"{refused:,} triggers of {playbook} are refused")


def _asked(name: str) -> "tuple[Settings, Playbook]":
    from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named

    settings = load_settings()
    return settings, playbook_named(name, load_playbooks(settings.config))
