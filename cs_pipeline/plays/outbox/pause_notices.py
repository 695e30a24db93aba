"""Write what operations read when a channel's pause begins or ends. Pure; `channel_pauses` knows when that is."""

from collections.abc import Mapping

from cs_pipeline.plays.outbox.channel_pauses import ChannelPause, PauseCause
from cs_pipeline.plays.outbox.operations import Notice

PAUSE_WORDS: Mapping[PauseCause, str] = {
    "refused": "the provider refuses us, whatever the message",
    "no_answer": "the provider does not answer",
    "asked_to_wait": "the provider keeps asking us to wait",
}


def of_pause(before: ChannelPause | None, after: ChannelPause | None) -> list[Notice]:
    """What operations are told when a channel's pause changes from `before` to `after`: that it began, that it ended.

    Asking twice makes the same notice, so telling it twice changes nothing.
    """
    told_before = before is not None and before.is_to_be_told
    if after is not None and after.is_to_be_told and not (told_before and before and before.cause == after.cause):
        return [
            Notice(
                f"channel_paused:{after.channel}:{after.cause}:{after.since:%Y-%m-%dT%H:%M:%S}",
                f"{after.channel}: {PAUSE_WORDS[after.cause]}",
                f"{after.channel}: {PAUSE_WORDS[after.cause]}. It says: {after.detail}\n"
                "Nothing is lost: due actions wait. One message tries again at "
                f"{after.paused_until:%Y-%m-%d %H:%M} UTC, then ever more seldom, but hourly. "
                f"Once it is mended, `cs-pipeline play resume channel {after.channel}` goes on at once.",
            )
        ]
    if after is None and before is not None and told_before:
        return [
            Notice(
                f"channel_resumed:{before.channel}:{before.since:%Y-%m-%dT%H:%M:%S}",
                f"{before.channel} takes messages again",
                f"{before.channel} takes messages again, after {before.calls} calls that did not get through since "
                f"{before.since:%Y-%m-%d %H:%M} UTC.",
            )
        ]
    return []
