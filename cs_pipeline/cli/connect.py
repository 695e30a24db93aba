"""`connect`: write mappings of tools that teams have, list which there are, and say whose rows find an account."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.console import console, marked, say_done, say_heading, table
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.errors import UserError
from cs_pipeline.first_few import first_few
from cs_pipeline.settings import load_settings

if TYPE_CHECKING:
    from cs_pipeline.connectors.connect import Connected, ConnectedTable

SHOWN = 6  # names in a line


def connect(
    vendor: Annotated[str, typer.Argument(help="The tool, as --list names it.")] = "",
    flavour: Annotated[str, typer.Option(help="Who landed its tables: fivetran, airbyte, dlt, segment, export.")] = "",
    schema: Annotated[str, typer.Option(help="The schema they are in.", show_default="the vendor's name")] = "",
    folder: Annotated[Path, typer.Option(help="The mapping folder.", file_okay=False)] = Path("mapping"),
    source: Annotated[str, typer.Option(help="Name of the source.", show_default="the vendor's name")] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over files that somebody changed.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the connectors there are.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say whose rows find an account, and whose do not.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write mappings over what ELT tools land of Stripe, Salesforce, Zendesk and others.

    The files are yours to change; `cs-pipeline map` installs them. Example: cs-pipeline connect stripe --schema stripe
    """
    if show_list:
        _list(as_json)
    elif check:
        _check(folder, as_json)
    elif not vendor:
        raise UserError("Say which tool: cs-pipeline connect VENDOR --schema SCHEMA; --list shows those there are.")
    else:
        _connect(vendor, flavour, schema or vendor, folder, source, force, as_json)


def _list(as_json: bool) -> None:
    import pandas as pd

    from cs_pipeline.connectors.catalogue import shipped_connectors

    rows = pd.DataFrame(
        [
            {"vendor": each.vendor, "flavour": each.flavour, "tool": each.title, "tables": ", ".join(each.tables)}
            for each in shipped_connectors()
        ]
    )
    print_list(rows, as_json, "There are none.")


def _connect(vendor: str, flavour: str, schema: str, folder: Path, source: str, force: bool, as_json: bool) -> None:
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.connectors.connect import connect as connect_vendor

    warehouse = start_warehouse(load_settings())
    done = connect_vendor(warehouse, vendor, flavour, schema, folder, source=source, force=force)
    if as_json:
        print_json([_plain(each) for each in done.tables])
        return
    _say(done, source or vendor, folder)


def _plain(each: "ConnectedTable") -> dict[str, object]:
    file, state = (each.file.path, each.file.state) if each.file else (None, "left out")
    return {**vars(each), "file": file, "state": state}


def _say(done: "Connected", name: str, folder: Path) -> None:
    for each in done.tables:
        if each.file is None:
            costs = first_few(each.metrics_lost, SHOWN)
            lost = f"; without it are missing: {costs}" if costs else ""
            console.print(marked("[yellow]–[/] {} left out: there is no table {}{}", each.table, each.lacks, lost))
            continue
        if each.file.state == "kept":
            words = "{} is left alone: it was changed by hand; --force writes over it"
            console.print(marked(f"[yellow]![/] {words}", each.file.path))
            continue
        say_done(each.file.path, f"  {each.file.state}" if each.file.state != "new" else "")
        for what, names in (("null", each.absent_columns), ("without rows", each.absent_tables)):
            if names:
                console.print(Text(f"    {what}, for there is no {first_few(names, SHOWN)}", style="dim"))
    if done.entry_is_new:
        leads = f"; it leads {' and '.join(done.leads)}" if done.leads else ""
        say_done(folder / "connectors.yaml", f"  {name} entered{leads}")
    if len(done.unstated) > 1 or (done.unstated and not done.entry_is_new):
        words = "Amounts are in {}: state under `currencies` in {} what each is worth, then connect again"
        console.print(marked(f"[yellow]![/] {words}", ", ".join(done.unstated), folder / "connectors.yaml"))
    if done.has_no_id:
        words = "Nothing says where {} keeps our account id: only addresses and domains find one until {} does"
        console.print(marked(f"[yellow]![/] {words}", name, folder / "connectors.yaml"))
    console.print(marked("Next: cs-pipeline connect --check --folder {0}, then cs-pipeline map {0}", folder))


def _check(folder: Path, as_json: bool) -> None:
    from cs_pipeline.cli.services import start_warehouse
    from cs_pipeline.connectors.check import check_identities

    found = check_identities(start_warehouse(load_settings()), folder)
    if as_json:
        print_json(found)
        return
    rates = table("source", "rows", "by id", "by address", "by domain", "not found", "found")
    for each in found.rates:
        style = "" if each.share >= 0.95 else "yellow"
        rates.add_row(
            each.source, f"{each.rows:,}", f"{each.by_id:,}", f"{each.by_address:,}", f"{each.by_domain:,}",
            f"{each.not_found:,}", Text(f"{each.share:.1%}", style=style),
        )  # fmt: skip
    console.print(rates)
    if found.unmatched:
        say_heading("Not found, the most money first")
        lost = table("source", "who", "rows", "money", "why")
        for one in found.unmatched:
            lost.add_row(one.source, Text(one.who, overflow="fold"), f"{one.rows:,}", f"{one.money:,.0f}", one.why)
        console.print(lost)
    if found.shared_domains:
        say_heading("Domains that several accounts have; rows with no better key are put aside")
        shared = table("domain", "accounts")
        for domain in found.shared_domains:
            shared.add_row(domain.domain, first_few(domain.accounts, SHOWN))
        console.print(shared)
