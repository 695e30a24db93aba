"""Pause channels whose provider refuses us, does not answer, or asked to wait.

The circuit breaker around a channel: what a call means for it is a pure decision; here it is also kept, so that the
next delivery knows. While a channel is paused its actions stay planned; when the pause is over one message tries.
What one action's answer means for that action is in `record`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Outcome

PauseCause = Literal["refused", "no_answer", "asked_to_wait"]

UNANSWERED = 3  # calls in a row without an answer, after which a channel pauses
FIRST_WAITS: Mapping[PauseCause, timedelta] = {
    "refused": timedelta(minutes=5),
    "no_answer": timedelta(minutes=5),
    "asked_to_wait": timedelta(minutes=1),
}
LONGEST_WAIT = timedelta(hours=1)
LASTING = 4  # calls in a row that were asked to wait, after which operations hear of it

PAUSED = """
exists (
    select 1
    from cs.channel_pauses as pauses
    where pauses.channel = actions.channel and pauses.paused_until > %(now)s
)
"""
"""SQL: whether the channel of the row `actions` (of cs.actions) is paused at %(now)s."""


@dataclass(frozen=True)
class ChannelPause:
    """A channel that did not take the last `calls` calls, since when, why in the provider's words, and until when.

    `paused_until` is None while it is still asked, one message at a time.
    """

    channel: str
    cause: PauseCause
    detail: str
    since: datetime
    calls: int
    paused_until: datetime | None

    def is_on(self, now: datetime) -> bool:
        """Whether nothing is handed over at `now`."""
        return self.paused_until is not None and self.paused_until > now

    @property
    def is_to_be_told(self) -> bool:
        """Whether operations are to hear of it; being asked to wait is ordinary until it lasts."""
        return self.paused_until is not None and (self.cause != "asked_to_wait" or self.calls >= LASTING)


COLUMNS = tuple(column.name for column in fields(ChannelPause))


def after_call(
    before: ChannelPause | None, channel: str, outcomes: Sequence[Outcome], now: datetime, *, is_late: bool = False
) -> ChannelPause | None:
    """What a call with those outcomes leaves of the channel's pause; None when the channel takes messages.

    A call shows the channel at work as soon as the provider took, or judged, one of its messages. One that `is_late`
    began before another had told of `before`: it can lengthen that pause, and neither ends nor multiplies it.
    """
    asked = [outcome for outcome in outcomes if outcome.cause != "not_asked"]
    if not asked:
        return before
    if is_late and before is not None and before.paused_until is not None:
        waits = [now + outcome.retry_after for outcome in asked if outcome.retry_after is not None]
        return replace(before, paused_until=max([before.paused_until, *waits]))
    refused = [outcome for outcome in asked if outcome.cause == "channel"]
    unanswered = [outcome for outcome in asked if outcome.status == "uncertain"]
    if any(outcome.status in ("sent", "failed") for outcome in asked):
        return None
    cause: PauseCause = "refused" if refused else "no_answer" if unanswered else "asked_to_wait"
    said = (refused or unanswered or asked)[-1]
    is_same = before is not None and before.cause == cause
    calls = before.calls + 1 if before is not None and is_same else 1
    waits = calls - UNANSWERED if cause == "no_answer" else calls - 1
    pause = None if waits < 0 else min(FIRST_WAITS[cause] * 2 ** min(waits, 10), LONGEST_WAIT)
    if pause is not None:
        pause = max([pause, *(outcome.retry_after for outcome in asked if outcome.retry_after is not None)])
    return ChannelPause(
        channel=channel,
        cause=cause,
        detail=said.detail or cause.replace("_", " "),
        since=before.since if before is not None else now,
        calls=calls,
        paused_until=None if pause is None else now + pause,
    )


def read(session: Session) -> dict[str, ChannelPause]:
    """What is known of channels that did not take their last call, by channel."""
    with session.cursor() as cursor:
        cursor.execute(f"select {', '.join(COLUMNS)} from cs.channel_pauses order by channel")
        return {row[0]: ChannelPause(*row) for row in cursor.fetchall()}


def keep(session: Session, channel: str, pause: ChannelPause | None) -> None:
    """Write down what `after_call` decided."""
    with session.cursor() as cursor:
        if pause is None:
            cursor.execute("delete from cs.channel_pauses where channel = %s", [channel])
            return
        cursor.execute(
            f"""
            insert into cs.channel_pauses ({", ".join(COLUMNS)})
            values (%s, %s, %s, %s, %s, %s)
            on conflict (channel) do update set
                cause = excluded.cause,
                detail = excluded.detail,
                calls = excluded.calls,
                paused_until = excluded.paused_until
            """,
            [getattr(pause, column) for column in COLUMNS],
        )


def end(session: Session, channel: str | None) -> bool:
    """Ask `channel` (None: all) again at once; False when none was paused."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.channel_pauses
            set paused_until = null
            where paused_until is not null and (%(channel)s::text is null or channel = %(channel)s)
            """,
            {"channel": channel},
        )
        return cursor.rowcount > 0
