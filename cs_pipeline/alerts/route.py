"""Decide who is told of an alert: the first of a chain of roles that is known for its account (C-37).

Nobody is named in a rule. A person is the account's owner, else its manager, else its executive; then come the rule's
channel, the team of the rule's type, and operations, who are always there. How each is reached is in `directory`.
"""

from collections.abc import Mapping

from cs_pipeline.alerts.directory import Directory, Leaders, Teams
from cs_pipeline.alerts.rule import Alert
from cs_pipeline.plays.outbox.operations import has_chat
from cs_pipeline.settings import Settings

CHANNEL = "channel"
"""In a chain: the channel that the rule names."""
OPERATIONS = "operations"
TEAMS = tuple(Teams.model_fields)
ABOVE: Mapping[str, tuple[str, ...]] = {
    "owner": ("owner", "manager", "executive"),
    "manager": ("manager", "executive"),
    "executive": ("executive", "manager"),
    "vp_customer_success": ("vp_customer_success", "executive", "manager"),
    "ceo": ("ceo", "executive", "vp_customer_success", "manager"),
}
"""Persons who stand in for a role, the role first: those of the account, and those who lead (alerts.yaml)."""
TEAM_OF_TYPE: Mapping[str, str] = {"support": "support", "upsell": "sales"}  # S1-16, S1-20, S1-22, S1-24, S3-93


def chain(alert: Alert, to: str | None = None) -> tuple[str, ...]:
    """Roles in the order in which they are asked for: those of the rule's `notify`, or those from `to` on.

    A rule that names a channel and a team is told in that channel.
    """
    notify = alert.notify
    first = to or notify.to
    roles: list[str] = [CHANNEL] if notify.channel and first in TEAMS and to is None else []
    roles.append(first)
    if notify.otherwise is not None and to is None:
        roles += ABOVE.get(notify.otherwise, (notify.otherwise,))
    roles += ABOVE.get(first, ())
    if notify.channel:
        roles.append(CHANNEL)
    if alert.type in TEAM_OF_TYPE:
        roles.append(TEAM_OF_TYPE[alert.type])
    return tuple(dict.fromkeys([*roles, OPERATIONS]))


def fixed_recipients(alert: Alert, directory: Directory, settings: Settings) -> dict[str, str]:
    """Recipients by role that are the same for every account; those that nothing leads to are left out.

    A team that names an address is told there (S1-20, S1-22), another in its channel (S1-16, S1-24).
    """
    chat = has_chat(settings)
    found = {OPERATIONS: settings.ops_channel if chat or not settings.ops_email else settings.ops_email}
    for name in TEAMS:
        team = getattr(directory.teams, name)
        if team.email or chat:
            found[name] = team.email or team.channel
    found |= {name: address for name in Leaders.model_fields if (address := getattr(directory.leaders, name))}
    if alert.notify.channel and chat:
        found[CHANNEL] = alert.notify.channel
    return found
