"""Show one alert: what was measured and why, what became of it, who was told, and what people can do about it."""

from psycopg2.extensions import connection as Session
from starlette.responses import Response

from cs_pipeline.alerts.messages import table_of
from cs_pipeline.reports.alerts.alert_page import alert_page
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.words import plain


def show(asked: PageRequest) -> Response:
    """The alert of the address."""
    with asked.session() as session:
        page = alert_page(session, asked.rules, int(asked.part("alert_id")), asked.now)
    facts = page.story.tables["What was found"].to_dict("records")
    table = table_of(page.row["facts"], page.rule.alert.show_rows if page.rule else 20)
    return asked.render(
        "alert",
        page=page,
        alert=page.row,
        rule=page.rule,
        table=table,
        facts=[
            {**fact, "fact": plain(fact["fact"])}
            for fact in facts
            if fact["value"] and not (table and fact["fact"] == "rows")
        ],
    )


def examples(session: Session) -> list[str]:
    """The newest alert of an account, of none, one that is over and one that is held, as far as there are."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select max(alert_id) from cs.alerts where account_id <> '' and ended_at is null
            union
            select min(alert_id) from cs.alerts where account_id <> '' and ended_at is null
            union
            select max(alert_id) from cs.alerts where account_id = ''
            union
            select max(alert_id) from cs.alerts where ended_at is not null
            union
            select max(alert_id) from cs.alerts where is_held
            """
        )
        return [f"/alerts/{alert_id}" for (alert_id,) in cursor.fetchall() if alert_id is not None]


PAGE = Page("alert", "/alerts/{alert_id:int}", show, examples=examples)
