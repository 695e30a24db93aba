"""`feedback`: hand on what customers said, list it, take it out of triage, and try the rules of routing.yaml."""

from typing import Annotated, Literal

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import Who, who_decides
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, say_done
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

commands = new_group("Hand on what customers say to whom it concerns, and list where it went.")

SaidIn = Literal["feedback", "survey", "ticket", "cancellation"]


@commands.command("list")
def list_feedback(
    rule: Annotated[str, typer.Option(help="Only what this rule of routing.yaml matched.")] = "",
    to: Annotated[str, typer.Option(help="Only what went to this role, team, channel or address.")] = "",
    account: Annotated[str, typer.Option(help="Only of this account: its id or name.")] = "",
    triage: Annotated[bool, typer.Option("--triage", help="Only what no rule took and nobody assigned.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what customers said and to whom it was handed on, the newest first.

    Example: cs-pipeline feedback list --to product --limit 20
    """
    from cs_pipeline.reports.feedback.lists import feedback_list, feedback_table
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        found = feedback_list(
            session, rule=rule or None, to=to or None, account=account or None, is_triage=triage, limit=limit
        )
    empty = "Nothing is in triage." if triage else "Nothing was handed on; `cs-pipeline feedback route` does it."
    print_list(found if as_json else feedback_table(found), as_json, empty)


@commands.command()
def route(as_json: AsJson = False) -> None:
    """Hand on what is new by the rules of routing.yaml, each item once; what no rule takes goes to triage.

    It goes through the outbox: with CS_PIPELINE_DELIVERY=capture nothing leaves the machine. What was said more than
    a week ago is recorded, and nobody is told.
    """
    from cs_pipeline.feedback import ledger
    from cs_pipeline.feedback.library import load_routing
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    book = load_routing(settings.config)
    with locate(settings).session() as session:
        done = ledger.route(session, book, settings, Clock(settings.now).now())
    if as_json:
        print_json({**vars(done), "by_rule": dict(done.by_rule)})
        return
    for name, count in done.by_rule:
        console.print(Text(f"{count:>7,} {name}"))
    say_done(
        f"{done.items:,} handed on, {done.triage:,} of them to triage, {done.old:,} recorded without telling anybody; "
        f"{done.messages:,} messages" + (f" and {done.tasks:,} tasks" if done.tasks else "") + " planned"
    )


@commands.command()
def assign(
    item: Annotated[list[str], typer.Argument(help="Items, as `cs-pipeline feedback list` prints them.")],
    to: Annotated[list[str], typer.Option(help="A role, team, channel or address; several times for several.")],
    by: Who = "",
) -> None:
    """Send items to somebody else, out of triage or from where they are, and tell them.

    Example: cs-pipeline feedback assign feedback:fb-00000012 --to product
    """
    from pydantic import TypeAdapter, ValidationError

    from cs_pipeline.feedback import ledger
    from cs_pipeline.feedback.definition import Receivers
    from cs_pipeline.feedback.library import load_routing
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    try:
        receivers = TypeAdapter(Receivers).validate_python(to)
    except ValidationError as error:
        raise UserError(f"--to: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    book = load_routing(settings.config)
    with locate(settings).session() as session:
        now = Clock(settings.now).now()
        planned = ledger.assign(session, item, receivers, who_decides(by), book, settings, now)
    say_done(f"{len(item):,} sent to {', '.join(receivers)}; {planned:,} messages planned")


@commands.command("test")
def try_rules(
    text: Annotated[str, typer.Argument(help="What a customer might say.")],
    said_in: Annotated[SaidIn, typer.Option(help="Where it is said.")] = "feedback",
    kind: Annotated[str, typer.Option(help="Its tag.")] = "untagged",
    question: Annotated[str, typer.Option(help="The question that it answers.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say which rules of routing.yaml match a text, the first the one that takes it. Writes nothing.

    Example: cs-pipeline feedback test "We are not looking at another tool"
    """
    from cs_pipeline.feedback import ledger
    from cs_pipeline.feedback.library import load_routing
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    book = load_routing(settings.config)
    with locate(settings).session() as session:
        rules = ledger.rules_for(session, book, text, said_in, kind, question or None, Clock(settings.now).now())
    found = [(name, book.named(name)) for name in rules]
    if as_json:
        print_json([{"rule": name, "to": rule.to if rule else ()} for name, rule in found])
    elif not found:
        console.print("No rule matches; it goes to triage.")
    for nth, (name, rule) in enumerate([] if as_json else found):
        what = f": to {', '.join(rule.to)}" if rule and nth == 0 else ", matches too"
        console.print(Text(on_one_line(f"{name}{what}")))


@commands.command()
def check(as_json: AsJson = False) -> None:
    """Hold the word lists of routing.yaml to their examples: what each must find, and what it must not.

    Fails where an example is not so.
    """
    from cs_pipeline.feedback import ledger
    from cs_pipeline.feedback.library import load_routing
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    book = load_routing(settings.config)
    with locate(settings).session() as session:
        wrong = ledger.wrong_examples(session, book)
    if as_json:
        print_json([{"words": name, "expected": place, "text": text} for name, place, text in wrong])
    if wrong:
        told = "; ".join(f"{name}: expected {place.replace('_', ' ')} in “{text}”" for name, place, text in wrong)
        raise UserError(f"{len(wrong)} examples of routing.yaml are not so: {told}")
    if not as_json:
        say_done(f"{len(book.words)} word lists keep to their examples")
