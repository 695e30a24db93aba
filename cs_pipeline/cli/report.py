"""`report`: list the reports, show one of a past date, send it to its readers; the pack of a business review."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY, require_folder_of
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame, say_done, say_heading
from cs_pipeline.cli.control_characters import on_one_line
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from cs_pipeline.reports.dated.report import Report

commands = new_group("List reports, show one of a past date, and send it to those who receive it.")

ReportName = Annotated[str, typer.Argument(help="Name of the report, as `cs-pipeline report list` prints it.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=DAY, help="The last period that had ended on this day; without: today."),
]


@commands.command("list")
def list_reports(as_json: AsJson = False) -> None:
    """List the reports: how often, what they say, who receives them, and which was made last."""
    from cs_pipeline.reports.dated.lists import report_list
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = report_list(session, settings)
    print_list(found, as_json, "There is no report.")


@commands.command()
def show(
    report: ReportName,
    as_of: AsOf = None,
    owner: Annotated[str, typer.Option(help="Only of the accounts of this address.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write its page, as HTML, to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a report with what was known at the end of its period. Writes and sends nothing.

    Example: cs-pipeline report show at_risk_review --as-of 2025-06-02 --output review.html
    """
    from cs_pipeline.reports.dated.catalogue import kind_named, make_report
    from cs_pipeline.reports.dated.readiness import require_owner
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    require_folder_of(output)
    kind = kind_named(report)
    with locate(settings).session() as session:
        made = make_report(session, kind, settings, _moment(settings, as_of), owner)
        if owner:
            require_owner(session, owner, made.period)
    if output is not None:
        _write_page(made, settings, output)
        if not as_json:
            say_done(f"{made.title}, {made.period.words}, see {output}")
    if as_json:
        from cs_pipeline.reports.dated.lists import report_as_plain

        print_json(report_as_plain(made))
    elif output is None:
        _say(made)


@commands.command()
def send(report: ReportName, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Send a report to those who receive it (reports.yaml), each once for its period.

    It goes through the outbox: with CS_PIPELINE_DELIVERY=capture nothing leaves the machine.
    Example: cs-pipeline report send at_risk_review
    """
    from cs_pipeline.reports.dated.catalogue import kind_named
    from cs_pipeline.reports.dated.sending import send_report
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    kind = kind_named(report)
    with locate(settings).session() as session:
        now = Clock(settings.now).now()
        sent = send_report(session, kind, settings, _moment(settings, as_of), now)
    if as_json:
        print_json({"report": report, "period": sent.report.period.first, "planned": sent.planned, "known": sent.known})
        return
    before = f"; {sent.known:,} had it before" if sent.known else ""
    say_done(f"{sent.report.title}, {sent.report.period.words}: planned for {sent.planned:,} readers{before}")


@commands.command()
def card(
    account: Annotated[str, typer.Argument(help="Id of the account, or its name.")],
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAY, help="As known at the end of this day; without: now.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Green from 80, Yellow from 50, Red below, whatever the model says.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an account in eight fields: tier, health, stage, last contact, next action, priority, what to know.

    Example: cs-pipeline report card acc-000013 --as-of 2025-06-02
    """
    from cs_pipeline.reports.accounts.card import account_card, card_lines
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now = Clock(settings.now).now()
    moment = now if as_of is None else min(now, _not_to_come(as_of, now).replace(tzinfo=UTC) + timedelta(days=1))
    with locate(settings).session() as session:
        found = account_card(session, account, moment, money_of(settings), is_strict=strict)
    if as_json:
        print_json(found)
        return
    for line in card_lines(found):
        console.print(Text(on_one_line(line)))


def _moment(settings: Settings, as_of: datetime | None) -> datetime:
    """Noon of the day is past its midnight, at which a period can end."""
    now = Clock(settings.now).now()
    return now if as_of is None else _not_to_come(as_of, now).replace(tzinfo=UTC) + timedelta(hours=12)


def _not_to_come(as_of: datetime, now: datetime) -> datetime:
    """Raise UserError for a day of which nothing can be known."""
    if as_of.date() > now.date():
        raise UserError(f"--as-of {as_of:%Y-%m-%d} is to come: give a day up to {now:%Y-%m-%d}, which is today")
    return as_of


def _write_page(report: "Report", settings: Settings, output: Path) -> None:
    from functools import partial

    from cs_pipeline.reports.dated.page import report_page
    from cs_pipeline.reports.dated.places import account_url

    output.write_text(report_page(report, partial(account_url, settings)), encoding="utf-8")


def _say(report: "Report") -> None:
    from cs_pipeline.reports.dated.lists import table_frame
    from cs_pipeline.reports.dated.words import sentence

    of = f", accounts of {report.owner}" if report.owner else ""
    console.print(Text(on_one_line(f"{report.title}, {report.period.words}{of}"), style="bold"))
    console.print(Text(on_one_line(f"{sentence(report.headline)}.")))
    for title, told in (("What changed", report.changes), ("What to decide", report.decisions)):
        say_heading(title)
        for words in told:
            console.print(Text(on_one_line(f"- {words}")))
    for table in report.tables:
        say_heading(table.title)
        if table.rows:
            print_frame(table_frame(table))
        else:
            console.print(table.empty)
        if table.more:
            console.print(f"… and {table.more:,} more.")
    for figure in report.figures:
        say_heading(figure.finding)
    for note in report.notes:
        console.print(Text(on_one_line(note), style="dim"))


@commands.command()
def value(
    account: Annotated[str, typer.Argument(help="Id of the account, or its name.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the page to this file instead of printing.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The report ends before this day; without: today.")
    ] = None,
    months: Annotated[int, typer.Option(help="Months it looks back: 12 for a year, 3 for a quarter.", min=1)] = 12,
    to_owner: Annotated[
        bool, typer.Option("--to-owner", help="Plan it as a mail to the account's owner, who hands it on; once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a customer gained, beside what they pay, and how they used the product.

    It is for the customer: it shows nothing that is ours alone, no score, no alert, no play.
    Example: cs-pipeline report value acc-000013 --as-of 2025-07-01 --output acme.html
    """
    from cs_pipeline.reports.business_review.facts import read_review
    from cs_pipeline.reports.business_review.value_report import value_report
    from cs_pipeline.reports.business_review.value_sending import send_to_owner
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    if output is not None:
        require_folder_of(output)
    now = Clock(settings.now).now()
    end = (now if as_of is None else _not_to_come(as_of, now)).date()
    with locate(settings).session() as session:
        review = read_review(session, account, end, months)
        made = value_report(review, money_of(settings))
        planned = send_to_owner(session, review, made, settings, now) if to_owner else None
    if output is not None:
        _write_page(made, settings, output)
    if as_json:
        from cs_pipeline.reports.dated.lists import report_as_plain

        print_json(report_as_plain(made))
        return
    if output is None and planned is None:
        _say(made)
    if planned is not None:
        say_done(f"{made.title}: {'planned for' if planned else 'had before:'} {review.account['owner_email']}")
    if output is not None:
        say_done(f"{made.title}, see {output}")


@commands.command()
def qbr(
    account: Annotated[str, typer.Argument(help="Id of the account, or its name.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The PowerPoint file to write.")],
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The review ends before this day; without: today.")
    ] = None,
    months: Annotated[int, typer.Option(help="Months it looks back: 3 for a quarter, 12 for a year.", min=1)] = 3,
    executive: Annotated[
        bool, typer.Option("--executive", help="An executive review: strategy and expansion too.")
    ] = False,
    template: Annotated[
        Path | None, typer.Option(help="A template; without: qbr.pptx of the configuration folder, else ours.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write the pack of a business review with a customer: an editable PowerPoint with native charts and tables.

    It shows nothing that is ours alone: no score, no alert, no play.
    Example: cs-pipeline report qbr acc-000013 --as-of 2025-07-01 -o acme.pptx
    """
    from cs_pipeline.reports.business_review.pack import business_review
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    _require_new(output, force)
    now = Clock(settings.now).now()
    end = (now if as_of is None else _not_to_come(as_of, now)).date()
    with locate(settings).session() as session:
        deck = business_review(
            session,
            account,
            end,
            settings,
            money_of(settings),
            months=months,
            is_executive=executive,
            template=template,
        )
    deck.save(str(output))
    say_done(f"{len(deck.slides)} slides, see {output}")


@commands.command()
def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="The PowerPoint file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write the template of business reviews, to be restyled and put into the configuration folder as qbr.pptx.

    Example: cs-pipeline report template -o qbr.pptx
    """
    from cs_pipeline.reports.business_review.template import shipped_template

    _require_new(output, force)
    shipped_template().save(str(output))
    say_done(f"See {output}; keep the names of layouts and placeholders")


def _require_new(output: Path, force: bool) -> None:
    """Raise UserError where a file would be lost, which somebody may have worked on."""
    require_folder_of(output)
    if output.exists() and not force:
        raise UserError(f"{output} exists; give another name, or --force to write over it")
