"""Hold a due action back until the steps before it, of the same play and to the same person, have gone out.

What held an earlier step up (the night, a cap, a paused channel) must not let a later one overtake it, nor bring both
at once: a step keeps its distance in days from when the one before it really went out. When a step is due by the
playbook is in `enrolment.planning`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from cs_pipeline.plays.delivery.customer_mail import is_customer_mail
from cs_pipeline.plays.delivery.throttling import ASK_AGAIN
from cs_pipeline.plays.enrolment.play_store import PlayStore
from cs_pipeline.plays.outbox.suppress import Postponed
from cs_pipeline.plays.playbooks import business_days
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.reasons import STEP_BEFORE

UNDER_WAY = ("planned", "claimed", "awaiting_approval")
SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Sibling:
    """An action of the same enrolment, as it stands in the outbox."""

    action_id: int
    step: str
    reader: tuple[str, str]
    status: str
    due_at: datetime
    sent_at: datetime | None
    is_resent: bool


def waits(
    store: PlayStore,
    due: pd.DataFrame,
    playbooks: Mapping[int, Playbook],
    now: datetime,
    our_zone: str,
) -> dict[int, Postponed]:
    """Which of `due` have to wait, by action id. Steps of the same day that are due together go together, in order.

    `due` has the columns action_id, enrolment_id, step, channel, role, recipient, country and timezone; `playbooks` are
    those of its rows, by action id.
    """
    siblings, together = _siblings(store, due), set(due["action_id"])
    waiting: dict[int, Postponed] = {}
    for row in due.to_dict("records"):
        action_id, playbook = row["action_id"], playbooks[row["action_id"]]
        of_play = siblings.get(row["enrolment_id"], [])
        if any(each.action_id == action_id and each.is_resent for each in of_play):
            continue  # a person wants it now
        reader = _reader(row["channel"], row["role"], row["recipient"])
        step = playbook.step_named(row["step"])
        before = [
            each
            for each in _before(playbook, step.step, [each for each in of_play if each.reader == reader])
            if not (each.action_id in together - waiting.keys() and playbook.step_named(each.step).day == step.day)
        ]
        zone = row["timezone"] if isinstance(row["timezone"], str) and row["timezone"] else our_zone
        country = row["country"] if isinstance(row["country"], str) else None
        wait = wait_for(before, playbook, step, now, country, zone)
        if wait is not None:
            waiting[action_id] = wait
    return waiting


def wait_for(
    before: list[Sibling], playbook: Playbook, step: Step, now: datetime, country: str | None, zone: str
) -> Postponed | None:
    """How long `step` waits for those `before` it (in their order); None when it may go.

    Steps of a renewal are bound to its date: there the distance is a day at most.
    """
    under_way = [each for each in before if each.status in UNDER_WAY]
    if under_way:
        is_for_a_person = under_way[-1].status == "awaiting_approval"
        again = now + (ASK_AGAIN if is_for_a_person else SOON)
        return Postponed(max(again, *(each.due_at for each in under_way)), STEP_BEFORE, keeps_fresh=True)
    sent = [each for each in before if each.sent_at is not None]
    if not sent:
        return None
    last = max(sent, key=lambda each: each.sent_at or now)
    days = step.day - playbook.step_named(last.step).day
    if playbook.trigger.kind == "renewal_window":
        days = min(days, 1)
    if days <= 0 or last.sent_at is None:
        return None
    went_out_on = last.sent_at.astimezone(business_days.zone(zone)).date()
    earliest = business_days.due_at(went_out_on, days, step.days, country, zone)
    return Postponed(earliest, STEP_BEFORE, keeps_fresh=True) if earliest > now else None


def _before(playbook: Playbook, step: str, siblings: list[Sibling]) -> list[Sibling]:
    """Those of `siblings` whose steps come before `step` in the play."""
    order = sorted(range(len(playbook.steps)), key=lambda place: (playbook.steps[place].day, place))
    places = {playbook.steps[number].step: place for place, number in enumerate(order)}
    earlier = [each for each in siblings if places.get(each.step, len(places)) < places[step]]
    return sorted(earlier, key=lambda each: places[each.step])


def _reader(channel: str, role: str, recipient: object) -> tuple[str, str]:
    """To whom, and where: a customer reads all of our mail and texts, our own people each channel by itself."""
    return ("mail" if is_customer_mail(channel, role) else channel, str(recipient or role).lower())


def _siblings(store: PlayStore, due: pd.DataFrame) -> dict[int, list[Sibling]]:
    found: dict[int, list[Sibling]] = {}
    rows = store.siblings(sorted({int(each) for each in due["enrolment_id"]}))
    for enrolment_id, action_id, step, channel, role, recipient, *state in rows.itertuples(index=False, name=None):
        sibling = Sibling(action_id, step, _reader(channel, role, recipient), *state)
        found.setdefault(enrolment_id, []).append(sibling)
    return found
