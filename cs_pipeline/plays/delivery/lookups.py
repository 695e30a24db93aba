"""Look uncertain actions up at their provider, and settle what it shows.

Only where the provider can be asked; what nothing is found of waits for a person (`outbox.dead_letters`).
"""

from time import monotonic

from cs_pipeline.channels.message import LookupResult, Message
from cs_pipeline.errors import UserError
from cs_pipeline.plays.delivery.channel_calls import ChannelCalls
from cs_pipeline.plays.delivery.eligibility import as_claimed
from cs_pipeline.plays.delivery.slack_threads import in_threads
from cs_pipeline.plays.delivery.writing import Renderer
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox import uncertain
from cs_pipeline.plays.outbox.queue import PlannedAction, find_uncertain

LOOKED_UP_AT_A_TIME = 200  # each asks the provider
LOOKED_UP_FOR = 60.0  # seconds of a run


def settle_uncertain(calls: ChannelCalls, renderer: Renderer, as_of: AsOf) -> None:
    """Look uncertain actions up where they would go today; elsewhere they are not to be found."""
    rows = find_uncertain(calls.session, calls.open_channels(), LOOKED_UP_AT_A_TIME, as_of.now)
    if rows.empty:
        return
    jobs = as_claimed(calls.session, rows, as_of)
    calls.session.commit()
    until = monotonic() + LOOKED_UP_FOR
    for job in jobs:
        if monotonic() >= until:
            return  # the next delivery goes on
        try:
            message = renderer.render(job.playbook, job.step, job.facts, job.action)
        except UserError as error:
            _settle(calls, job.action, LookupResult("cannot_look", detail=str(error)))
            continue
        ((_, message),) = in_threads(calls.session, [(job.action, message)])
        calls.session.commit()  # nothing stays open while the provider is asked
        look_up(calls, job.action, message)


def look_up(calls: ChannelCalls, action: PlannedAction, message: Message) -> None:
    """Ask the channel of an uncertain action for its message, and settle the action by the answer."""
    channel = calls.channels[action.channel]
    if channel.delivery_to(message.recipient) == action.delivery:
        _settle(calls, action, channel.find(message))
    else:
        _settle(calls, action, LookupResult("cannot_look", detail="the delivery mode has changed since"))


def _settle(calls: ChannelCalls, action: PlannedAction, lookup: LookupResult) -> None:
    if uncertain.settle(calls.session, action.action_id, action.attempts, lookup, calls.clock.now()):
        calls.summary.settled[lookup.state] += 1
    calls.session.commit()
