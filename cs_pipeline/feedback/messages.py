"""Tell those who receive feedback of what was routed just now: one message a reader, the most pressing first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.alerts.directory import Directory, Teams
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.feedback.definition import PRIORITIES, TEAM, RoutingBook
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.outbox.operations import Notice, has_chat, notify_all
from cs_pipeline.settings import Settings
from cs_pipeline.sql_files import read_sql

PLAYBOOK = "feedback"
"""By this name a person can stop all of these messages, as if it were a playbook."""
SHOWN = 20
"""Items that one message shows; the others are counted."""
LONGEST_QUOTE = 240


def tell(cursor: Cursor, book: RoutingBook, settings: Settings, now: datetime) -> int:
    """Plan messages about the temporary table `routed_now`, and note them in the ledger; returns how many."""
    directory = load_directory(settings.config)
    fixed = _fixed(directory, settings)
    cursor.execute(
        read_sql(__file__, "readers"),
        {
            "roles": list(fixed),
            "recipients": list(fixed.values()),
            "team_channel": settings.team_channel,
            "priorities": list(PRIORITIES),
        },
    )
    cursor.execute(_SHOWN, {"shown": SHOWN})
    names = [column.name for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    currency = currency_of(settings)
    notices: dict[str, Notice] = {}
    for recipient, found in groupby(rows, key=lambda row: row["recipient"]):
        items = list(found)
        reader = directory.reader(recipient, items[0]["role"], settings)
        notice = _notice(items, book, settings, currency, now)
        notices[recipient] = replace(notice, to=reader) if reader.ways else notice
    ids = notify_all(cursor.connection, list(notices.values()), settings, now)
    planned = [(recipient, ids[notice.key]) for recipient, notice in notices.items() if notice.key in ids]
    cursor.execute(
        _NOTE, {"recipients": [recipient for recipient, _ in planned], "notices": [notice for _, notice in planned]}
    )
    return len(planned)


def _fixed(directory: Directory, settings: Settings) -> dict[str, str]:
    """Receivers by name that are the same for every account: teams at their address, else in their channel."""
    chat = has_chat(settings)
    found = {TEAM: settings.team_channel}
    for name in Teams.model_fields:
        team = getattr(directory.teams, name)
        found[name] = team.email or (team.channel if chat or not settings.ops_email else settings.ops_email)
    return found


def _notice(items: list[dict[str, Any]], book: RoutingBook, settings: Settings, currency: str, now: datetime) -> Notice:
    first = items[0]
    count, pressing = first["items"], first["pressing"]
    what = "1 thing that a customer said" if count == 1 else f"{count:,} things that customers said"
    subject = f"{what}, for {first['role'].replace('_', ' ')}" + (
        f": {pressing:,} of high priority" if pressing else ""
    )
    lines = [item_line(item, book, settings, currency) for item in items]
    if count > len(items):
        lines.append(f"… and {count - len(items):,} more: cs-pipeline feedback list --to {first['role']}")
    return Notice(
        key=f"feedback/{first['recipient']}/{first['said_in']}:{first['source_id']}/{now.isoformat()}",
        subject=subject,
        text="\n\n".join([f"{subject}.", *lines]),
        playbook=PLAYBOOK,
        step="routed",
    )


def item_line(item: Mapping[str, Any], book: RoutingBook, settings: Settings, currency: str) -> str:
    """What was said, by whom, and where it stands: two lines."""
    rule = book.named(item["rule"]) if item["rule"] else None
    words = " ".join((item["words"] or "").split())
    quoted = f"“{words[:LONGEST_QUOTE]}{'…' if len(words) > LONGEST_QUOTE else ''}”" if words else "(no words)"
    about = [
        item["tier"],
        f"{currency}{item['arr']:,.0f} ARR" if item["arr"] else None,
        f"renews in {item['days_to_renewal']} days" if 0 <= (item["days_to_renewal"] or -1) <= 90 else None,
    ]
    name = item["account_name"] or item["account_id"]
    said = [
        rule.title if rule else "nobody's yet",
        f"about {item['feature']}" if item["feature"] else None,
        f"{item['said_in']}:{item['source_id']}",
        f"{settings.site_url.rstrip('/')}/accounts/{quote(item['account_id'], safe='')}",
    ]
    return (
        f"[{item['priority']}] {name} ({', '.join(filter(None, about)) or 'no contract'}): {quoted}\n"
        f"{' · '.join(filter(None, said))}"
    )


def currency_of(settings: Settings) -> str:
    """The sign of the team's currency."""
    folders = loader.folders(settings.config)
    return Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file())).currency


_SHOWN = """
select told_now.*, routed_now.account_id, routed_now.rule, routed_now.feature, routed_now.tier, routed_now.words,
    routed_now.priority, routed_now.days_to_renewal, accounts.account_name, accounts.arr
from told_now
inner join routed_now using (said_in, source_id)
left join marts.dim_accounts as accounts on routed_now.account_id = accounts.account_id
where told_now.nth <= %(shown)s
order by told_now.recipient, told_now.nth
"""
_NOTE = """
update cs.routed_feedback as ledger
set action_ids = ledger.action_ids || told.action_ids
from (
    select told_now.said_in, told_now.source_id, array_agg(actions.action_id order by actions.action_id) as action_ids
    from unnest(%(recipients)s::text[], %(notices)s::bigint[]) as planned (recipient, notice_id)
    inner join told_now on planned.recipient = told_now.recipient
    inner join cs.actions as actions on planned.notice_id = actions.notice_id
    group by told_now.said_in, told_now.source_id
) as told
where ledger.said_in = told.said_in and ledger.source_id = told.source_id
"""
