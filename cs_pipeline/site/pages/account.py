"""Show one account: who it is, how healthy and why, what happened, what is planned, and what people can do about it."""

from typing import Any

from psycopg2.extensions import connection as Session
from starlette.responses import Response

from cs_pipeline.errors import UserError
from cs_pipeline.health.explanation import driver_name, value_in_words
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.history.conversations import kinds_of_conversation
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.reports.accounts.account import KINDS, account_page
from cs_pipeline.reports.scores.account_story import Story, tell_story
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.score_chart import score_chart


def show(asked: PageRequest) -> Response:
    """The account of the address."""
    account_id = asked.part("account_id")
    narrowed_to = asked.asked("timeline")
    with asked.session() as session:
        page = account_page(session, account_id, asked.rules, asked.now, narrowed_to)
    story = _story(asked, account_id) if page.scores else None
    newest = page.scores[-1] if page.scores else None
    return asked.render(
        "account",
        page=page,
        card=page.card,
        story=story,
        told=[words.removeprefix(f"{story.model}: ") for words in story.paragraphs] if story else [],
        made_of=[_part(row) for row in story.tables["What the score is made of"].to_dict("records")] if story else [],
        narrowed_to=narrowed_to if narrowed_to in KINDS else "",
        kinds=KINDS,
        others=story.tables["Other models, side by side"].to_dict("records") if story else [],
        newest=newest,
        change=_change_of(page.changes, newest),
        chart=score_chart(page.scores),
        conversations=kinds_of_conversation(),
        playbooks=_startable(asked) if asked.reader.may_act else [],
    )


def _story(asked: PageRequest, account_id: str) -> Story | None:
    try:
        return tell_story(asked.warehouse, account_id, None, with_alerts=False)
    except UserError:
        return None


def _part(row: dict[Any, Any]) -> dict[str, Any]:
    """A metric of the score in words, with how much of its points it has, from 0 to 1."""
    metric, points, of = row["metric"], row["points"], row["of"]
    share = min(max(points / of, 0.0), 1.0) if points == points and of else None
    is_known = metric in METRICS
    value = value_in_words(metric, row["value"]) if is_known else row["value"]
    return {
        **row,
        "words": driver_name(metric) if is_known else metric.replace("_", " "),
        "value": value,
        "share": share,
    }


def _change_of(changes: list[dict[str, Any]], newest: dict[str, Any] | None) -> float | None:
    """The change of the newest week; 0 where nothing changed, None where there is no score."""
    if newest is None or newest["score"] is None:
        return None
    return next((row["delta"] for row in changes if row["week"] == newest["week"]), 0.0)


def _startable(asked: PageRequest) -> list[tuple[str, str]]:
    """Playbooks that people start, by name and title."""
    try:
        found = load_playbooks(asked.settings.config).values()
    except UserError:
        return []
    return [(each.playbook, each.title) for each in found if each.trigger.kind == "manual" and each.switched_on]


def examples(session: Session) -> list[str]:
    """The accounts with the most and the fewest alerts, and one that is not scored, if there is."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            (select account_id from cs.alerts where account_id is not null group by 1 order by count(*) desc, 1 limit 1)
            union
            (select account_id from cs.account_overview order by arr desc, account_id limit 1)
            union
            (select account_id from cs.account_overview where score is null order by account_id limit 1)
            """
        )
        return [f"/accounts/{account_id}" for (account_id,) in cursor.fetchall()]


PAGE = Page("account", "/accounts/{account_id}", show, examples=examples)
