"""What a reason means, in words for people: why an account did not enter, a play ended, an action was not taken."""

from cs_pipeline.plays.delivery import joining, throttling
from cs_pipeline.plays.delivery.guards import GUARDS, OUTBOX_REASONS
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.enrol import OUTRANKED, REFUSALS
from cs_pipeline.plays.outbox import manual_actions, missed
from cs_pipeline.plays.playbooks.schema import Playbook

_MEANINGS: dict[str, str] = {
    **REFUSALS,
    **OUTBOX_REASONS,
    **throttling.REASONS,
    **joining.MEANINGS,
    **manual_actions.REASONS,
    **{guard.reason: guard.meaning for guard in GUARDS},
    "churned": "the account has left",
    exits.RETURNED: "the account has come back",
    "renewal_moved": "the renewal is on another date now, or on none",
    OUTRANKED: "a play of the family with a higher priority began",
    missed.REASON: missed.MEANING,
    "channel_paused": "the channel takes nothing from us at the moment; it goes out when that is over",
    "told_in_slack": "operations were told in Slack",
    "no_recipient": "nobody can receive it",
    "not_rendered": "its message cannot be written",
}


def meaning(reason: str, playbook: Playbook | None = None) -> str:
    """The meaning of `reason`; of an exit of `playbook`, its condition."""
    for ending in playbook.exit if playbook is not None else ():
        if ending.reason == reason and reason not in _MEANINGS:
            return f"the play ends when {ending.when}"
    return _MEANINGS.get(reason, reason.replace("_", " "))
