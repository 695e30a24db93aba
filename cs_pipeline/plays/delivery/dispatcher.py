"""Take due actions: the one loop from what waits in the outbox to the channels.

The order of a delivery belongs here. How a channel is called is in `channel_calls`, what may go out in `eligibility`,
what is uncertain in `lookups`, notices to our own people in `notices`.
"""

from collections.abc import Mapping
from contextlib import closing
from time import monotonic

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.clock import Clock
from cs_pipeline.history.slices import Slice
from cs_pipeline.plays.delivery import notices
from cs_pipeline.plays.delivery.channel_calls import ChannelCalls
from cs_pipeline.plays.delivery.eligibility import Job, check_eligibility
from cs_pipeline.plays.delivery.lookups import settle_uncertain
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.delivery.writing import Renderer, write
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox import kill_switch, operations, suppress
from cs_pipeline.plays.outbox.claim import last_attempt
from cs_pipeline.plays.outbox.queue import due
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

IDLE_SECONDS = 60.0  # after which the server ends a transaction whose worker was stopped in it, lest all others wait
MOST_TO_OPERATIONS = 100  # of which those are told who wait for an answer
JUDGED_FOR = 60.0  # seconds; what was not taken by then is judged and rendered again


def deliver_due(
    warehouse: Warehouse,
    channels: Mapping[str, BaseChannel],
    renderer: Renderer,
    settings: Settings,
    clock: Clock,
    limit: int = 1_000,
    part: Slice | None = None,
) -> DeliverySummary:
    """Take up to `limit` actions that are due on `channels` (by kind of message: email, slack, crm, …).

    Before that, notices to our own people go out (up to `limit` as well), what is uncertain is looked up where the
    provider allows it, and what is stale is dropped. A play that is over by the facts of the moment ends before it says
    anything more. Any number of deliveries may run at once; where each takes a slice of the accounts, none judges what
    another takes. A channel that takes nothing is left alone until its pause is over. Raises UserError when the marts
    are not built.
    """
    summary = DeliverySummary()
    with warehouse.session() as session:
        _end_when_stopped(session)
        calls = ChannelCalls(session, channels, settings, clock, summary)
        notices.hand_over(calls, limit)
        _prepare(calls, renderer)
        _take_all(calls, renderer, limit, part)
    return summary


def deliver_notices(
    warehouse: Warehouse, channels: Mapping[str, BaseChannel], settings: Settings, clock: Clock
) -> DeliverySummary:
    """Take the notices to operations that are due on `channels`; needs no marts, no playbooks and no daemon."""
    summary = DeliverySummary()
    with warehouse.session() as session:
        _end_when_stopped(session)
        calls = ChannelCalls(session, channels, settings, clock, summary)
        notices.hand_over(calls, MOST_TO_OPERATIONS, operations.PLAYBOOK)
    return summary


def _end_when_stopped(session: Session) -> None:
    with session.cursor() as cursor:
        cursor.execute("select set_config('idle_in_transaction_session_timeout', %s, false)", [f"{IDLE_SECONDS}s"])
    session.commit()


def _prepare(calls: ChannelCalls, renderer: Renderer) -> None:
    """Everything that is decided before anything goes out, each in a transaction of its own."""
    session, summary = calls.session, calls.summary
    as_of = AsOf(calls.settings, calls.clock.now())
    settle_uncertain(calls, renderer, as_of)
    # What was cancelled is not stale. Where more is, a day's look at all plays has ended theirs, or will.
    stale = suppress.accounts_with_stale(session, as_of.now, exits.AT_A_TIME)
    summary.ended.update(exits.end_plays(session, as_of, stale))
    session.commit()
    dropped = suppress.drop_stale(session, as_of.now)
    summary.suppressed.update(dropped.reasons)
    summary.completed = PostgresStore(session).complete(as_of.now, dropped.enrolment_ids)
    summary.held = kill_switch.mark_held(session, as_of.now)
    session.commit()


def _take_all(calls: ChannelCalls, renderer: Renderer, limit: int, part: Slice | None) -> None:
    """Judge, write, deliver and record, batch by batch, until nothing is due or `limit` is reached."""
    taken = 0
    seen: set[int] = set()
    while taken < limit:
        as_of = AsOf(calls.settings, calls.clock.now())
        batch = due(calls.session, calls.open_channels(), min(calls.at_a_time(), limit - taken), as_of.now, part)
        if seen.issuperset(batch["action_id"]):
            return
        judged_after = last_attempt(calls.session)
        calls.session.commit()
        until = monotonic() + JUDGED_FOR
        jobs = _judged(calls, batch, as_of)
        with closing(write(calls, renderer, jobs)) as written:
            found = calls.take(written, judged_after, until)
        taken += found.actions
        enrolments = batch["enrolment_id"].unique().tolist()
        calls.summary.completed += PostgresStore(calls.session).complete(calls.clock.now(), enrolments)
        calls.session.commit()
        # What is done with does not come again: to keep all of it in mind would grow with the outbox.
        left = {job.action.action_id for job in jobs} - found.begun
        seen.update(set(batch["action_id"]) - found.settled - left)


def _judged(calls: ChannelCalls, batch: pd.DataFrame, as_of: AsOf) -> list[Job]:
    """What of `batch` may go out; the rest is cancelled, dropped or postponed, with its reason."""
    found, summary = check_eligibility(calls.session, batch, as_of), calls.summary
    PostgresStore(calls.session).end(found.ended, as_of.now)
    suppress.drop(calls.session, "suppressed", found.suppressed)
    suppress.drop(calls.session, "failed", found.failed)
    suppress.postpone(calls.session, found.postponed)
    calls.session.commit()
    summary.ended.update(found.ended)
    summary.suppressed.update(found.suppressed.values())
    summary.failed.update(found.failed.values())
    summary.postponed.update(wait.reason for wait in found.postponed.values())
    return found.jobs
