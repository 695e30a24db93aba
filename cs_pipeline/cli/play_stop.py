"""`play stop`, `play resume`: use the kill switch for everything, a channel, a playbook or an account."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from cs_pipeline.cli.arguments import who_decides
from cs_pipeline.cli.console import say_done
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.plays.outbox.kill_switch import Scope

SCOPES = ("everything", "channel", "playbook", "account")

WhatToStop = Annotated[str, typer.Argument(help="everything, channel, playbook or account.")]
WhichOne = Annotated[str, typer.Argument(help="Name of the channel or playbook, id of the account; nothing else.")]


def stop(
    scope: WhatToStop,
    name: WhichOne = "",
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who wonders.")] = "",
) -> None:
    """Stop everything, a channel, a playbook or an account at once.

    What is planned stays planned, and goes out after `cs-pipeline play resume` unless it is stale by then.

    Example: cs-pipeline play stop playbook red_save --reason "wrong price in the guide"
    """
    from cs_pipeline.plays.outbox import kill_switch
    from cs_pipeline.warehouse.locate import locate

    if not reason:
        raise UserError("Say why, with --reason: somebody will wonder.")
    settings = load_settings()
    with locate(settings).session() as session:
        kill_switch.stop(session, _scope(scope), _name(scope, name), reason, who_decides(""), Clock(settings.now).now())
    say_done(f"{scope} {name} is stopped".replace("  ", " "))


def resume(
    scope: WhatToStop,
    name: WhichOne = "",
) -> None:
    """Undo `play stop`; also tries a paused channel again at once.

    Example: cs-pipeline play resume channel email
    """
    from cs_pipeline.plays.outbox import kill_switch
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        lifted = kill_switch.lift(session, _scope(scope), _name(scope, name))
    if not lifted:
        raise UserError(f"{scope} {name} was not stopped; `cs-pipeline doctor` lists what is".replace("  ", " "))
    say_done(f"{scope} {name} goes on".replace("  ", " "))


def _scope(scope: str) -> "Scope":
    if scope not in SCOPES:
        raise UserError(f"'{scope}' cannot be stopped; expected one of: {', '.join(SCOPES)}")
    return cast("Scope", scope)


def _name(scope: str, name: str) -> str:
    if scope == "everything":
        return "*"
    if not name:
        raise UserError(f"Which {scope}? Give its name.")
    return name
