"""Hand notices over to operations; they need nothing but the outbox, so what fails behind them can be told as well."""

from cs_pipeline.plays.delivery.channel_calls import ChannelCalls
from cs_pipeline.plays.delivery.lookups import look_up
from cs_pipeline.plays.outbox import notice_messages, operations, uncertain
from cs_pipeline.plays.outbox.claim import last_attempt


def hand_over(calls: ChannelCalls) -> None:
    """Look up what is uncertain of them, then take those that are due: by e-mail only what chat has not taken."""
    session, now = calls.session, calls.clock.now()
    calls.summary.leases_expired = uncertain.expire_leases(session, now)
    calls.read_pauses()
    session.commit()
    for action, message in notice_messages.uncertain(session, calls.open_channels(), calls.settings, now):
        session.commit()
        look_up(calls, action, message)
    operations.cancel_second_ways(session)
    written = notice_messages.due(session, calls.open_channels(), calls.settings, now)
    judged_after = last_attempt(session)
    session.commit()
    for channel, together in calls.batches(written):
        if channel not in calls.summary.paused:
            calls.take(channel, together, judged_after)
    operations.cancel_second_ways(session)
    session.commit()
