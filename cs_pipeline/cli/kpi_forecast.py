"""`kpi forecast`, `call`, `calls`: renewals ahead with their likelihood, and what CSMs expect of them."""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from cs_pipeline.cli.arguments import DAY, Limit, Who, who_decides
from cs_pipeline.cli.console import console, print_frame, say_done
from cs_pipeline.cli.listing import AsJson, print_json, print_list
from cs_pipeline.clock import Clock
from cs_pipeline.settings import load_settings

Renewing = Annotated[
    str, typer.Argument(metavar="RENEWAL", help="Id of the subscription, or of its account where one renews.")
]


def forecast(
    week: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The Monday of the week; without: the newest.")
    ] = None,
    owner: Annotated[str, typer.Option(help="E-mail address of an owner; without: of all.")] = "",
    limit: Limit = 30,
    as_json: AsJson = False,
) -> None:
    """List renewals of the next 92 days: likelihood by the history of their bands, and the CSM's own call.

    Those with most MRR at stake come first; of a past week it also says what became of them.
    Example: cs-pipeline kpi forecast --owner olga@example.com
    """
    from cs_pipeline.reports.dated.catalogue import money_of
    from cs_pipeline.reports.kpis.forecast import forecast_table, headline, renewals_ahead
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        found = renewals_ahead(session, week.date() if week else None, owner or None, limit)
    if as_json:
        print_json(found.rows)
        return
    money = money_of(settings)
    console.print(Text(headline(found, money), style="bold"))
    print_frame(forecast_table(found.rows, money))


def call(
    renewal: Renewing,
    percent: Annotated[float, typer.Argument(help="How likely you think it is, 0 to 100.", min=0, max=100)],
    reason: Annotated[str, typer.Option(help="Why; shown wherever both figures are.")],
    by: Who = "",
) -> None:
    """Say how likely a renewal is by your own judgement; it stands beside the forecast, and is scored as that is.

    Example: cs-pipeline kpi call acc-000013 40 --reason "their sponsor left"
    """
    from cs_pipeline.kpis.calls import Call, record_call, renewal_named
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    now = Clock(settings.now).now()
    with locate(settings).session() as session:
        ahead = renewal_named(session, renewal, now)
        record_call(session, ahead, Call(percent / 100, reason, who_decides(by)), now)
    say_done(f"{percent:g} % for the renewal of {ahead.subscription_id} on {ahead.renewal_date}")


def calls(renewal: Renewing, as_json: AsJson = False) -> None:
    """List what CSMs said of the renewals of a subscription or an account, the newest first.

    Example: cs-pipeline kpi calls acc-000013
    """
    from cs_pipeline.kpis.calls import calls_about
    from cs_pipeline.warehouse.locate import locate

    with locate(load_settings()).session() as session:
        found = calls_about(session, renewal)
    print_list(found, as_json, "Nobody said anything of it; `cs-pipeline kpi call` does.")
