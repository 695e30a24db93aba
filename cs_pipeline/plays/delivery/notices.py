"""Hand notices over to our own people; they need nothing but the outbox, so what fails behind them can be told too."""

from cs_pipeline.plays.delivery.channel_calls import ChannelCalls
from cs_pipeline.plays.delivery.lookups import look_up
from cs_pipeline.plays.delivery.slack_threads import in_threads
from cs_pipeline.plays.outbox import notice_messages, operations, uncertain
from cs_pipeline.plays.outbox.claim import last_attempt
from cs_pipeline.plays.outbox.queue import PlannedAction


def hand_over(calls: ChannelCalls, limit: int, playbook: str | None = None) -> None:
    """Look up what is uncertain of them, then take up to `limit` that are due, of `playbook` where it is given.

    By e-mail goes only what chat has not taken. Each is looked at once.
    """
    session, now = calls.session, calls.clock.now()
    calls.summary.leases_expired = uncertain.expire_leases(session, now)
    calls.read_pauses()
    session.commit()
    to_look_up = notice_messages.uncertain(session, calls.open_channels(), calls.settings, now)
    for action, message in in_threads(session, to_look_up):
        session.commit()
        look_up(calls, action, message)
    last: PlannedAction | None = None
    taken = 0
    while taken < limit:
        operations.settle_second_ways(session, calls.clock.now())
        written = notice_messages.due(
            session, calls.open_channels(), calls.settings, calls.clock.now(), playbook=playbook, after=last
        )
        judged_after = last_attempt(session)
        session.commit()
        if not written:
            break
        last = written[-1][0]
        taken += calls.take(written, judged_after).actions
    operations.settle_second_ways(session, calls.clock.now())
    session.commit()
