"""Ops that take due actions, one a channel, and the op that tells operations what needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from cs_pipeline.channels.registry import KINDS, ChannelKind
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.history.slices import Slice
from cs_pipeline.orchestration.keys import ACTIONS, CAPTURED_MESSAGES, SLICE_TAG
from cs_pipeline.plays.delivery.dispatcher import deliver_due, deliver_notices
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.unsubscribe_link import read_link_key
from cs_pipeline.plays.outbox import dead_letters, operations
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.reports.plays.queries import recent_messages
from cs_pipeline.reports.plays.text import messages_as_markdown
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def _delivering_op(name: str, kinds: Sequence[ChannelKind]) -> dg.OpDefinition:
    carried = [kind.name for kind in kinds]

    @dg.op(
        name=name,
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        description=f"Take the due actions of {' and '.join(carried)}: guards, message, delivery, record.",
    )
    def deliver(
        context: dg.OpExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> None:
        known = channels_for(settings, warehouse, clock)
        channels = {name: known[name] for name in carried}
        limit = min(kind.most_in_a_run for kind in kinds)  # the sensor launches the next run
        with warehouse.session() as session:
            renderer = Renderer(settings, read_link_key(session))
        named = context.run.tags.get(SLICE_TAG)
        part = Slice.named(named) if named else None
        summary = deliver_due(warehouse, channels, renderer, settings, clock, limit=limit, part=part)
        for problem in summary.problems:
            context.log.error(problem)
        if summary.outcomes or summary.suppressed or summary.failed or summary.postponed:
            for event in _delivered(warehouse, settings, clock, carried, summary):
                context.log_event(event)

    return deliver


def _delivered(
    warehouse: Warehouse, settings: Settings, clock: Clock, carried: Sequence[str], summary: DeliverySummary
) -> Iterator[dg.AssetMaterialization]:
    """What this delivery did, and what is left: to count the whole outbox each time would cost more than to deliver."""
    channel = ", ".join(dict.fromkeys(name for name, _ in summary.outcomes)) or carried[0]
    outcomes = {outcome: summary.count(outcome) for _, outcome in summary.outcomes}
    with warehouse.session() as session:
        due = due_by_channel(session, clock.now())
        messages = recent_messages(session) if outcomes.get("captured") else None
    metadata: Mapping[str, Any] = {
        "channel": channel,
        "outcomes": outcomes,
        "suppressed": dict(summary.suppressed),
        "failed": dict(summary.failed),
        "postponed": dict(summary.postponed),
        "ended_plays": dict(summary.ended),
        "still_due": due,
    }
    words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing sent"
    yield dg.AssetMaterialization(ACTIONS, description=f"{channel}: {words}", metadata=metadata)
    if messages is not None:
        yield dg.AssetMaterialization(
            CAPTURED_MESSAGES,
            description=f"{outcomes['captured']} messages captured",
            metadata={
                "all_messages": dg.MetadataValue.url(f"{settings.site_url.rstrip('/')}/messages"),
                "newest": dg.MetadataValue.md(messages_as_markdown(messages, settings.site_url)),
            },
        )


DELIVERING_OPS = tuple(
    _delivering_op(name, [kind for kind in KINDS.values() if kind.op == name])
    for name in dict.fromkeys(kind.op for kind in KINDS.values())
)
"""Which take what is due, each of the kinds that name it as their op."""


@dg.op(
    ins={"delivered": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Tell operations, once, of actions that need a person: failed, or uncertain and not to be looked up.",
)
def tell_operations(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """One notice about everything that they were not told of yet.

    It comes after the channels, which look up what is uncertain first.
    """
    now = clock.now()
    with warehouse.session() as session:
        found = dead_letters.untold(session, now)
        if found is None:
            return
        operations.notify(session, dead_letters.notice(found, now), settings, now)
        dead_letters.mark_told(session, found.action_ids, now)
    context.log.warning("%s\n%s", found.subject, found.words)
    deliver_notices(warehouse, channels_for(settings, warehouse, clock), settings, clock)
