"""`user`: say who may sign in to the customer-success site."""

import sys
from typing import Annotated

import typer

from cs_pipeline.cli.arguments import Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import say_done
from cs_pipeline.cli.listing import AsJson, print_list
from cs_pipeline.settings import load_settings

commands = new_group("Say who may sign in to the customer-success site and act there.")
Name = Annotated[str, typer.Argument(help="Their e-mail address, under which decisions are recorded.")]


@commands.command()
def add(name: Name, by: Who = "") -> None:
    """Add a person, or give one a new password, which signs them out everywhere.

    Asks for the password; where input is no terminal, reads it from there.

    Example: cs-pipeline user add olga@example.com
    """
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.site.users import set_user

    warehouse = start_warehouse(load_settings())
    password = _password()
    with warehouse.session() as session:
        is_new = set_user(session, name, password, who_decides(by))
    say_done(f"{name.strip().lower()} {'may sign in' if is_new else 'has a new password'}")


@commands.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List who may sign in, and in how many browsers they are signed in."""
    from cs_pipeline.site.users import users
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        rows = users(session)
    print_list(rows, as_json, "Nobody can sign in with a password; `cs-pipeline user add NAME` adds a person.")


@commands.command()
def remove(name: Name) -> None:
    """Remove a person, which signs them out everywhere. What they decided keeps their name."""
    from cs_pipeline.site.users import remove_user
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        remove_user(session, name)
    say_done(f"{name.strip().lower()} is removed")


def _password() -> str:
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")
