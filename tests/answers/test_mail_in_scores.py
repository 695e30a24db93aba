"""From SendGrid's webhook to the score: what became of our own mail is in the metrics of the week in which we heard."""

from datetime import UTC, datetime, time, timedelta

import pytest
from starlette.testclient import TestClient

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from tests.builders.company import save_play
from tests.builders.delivering import ToldChannel, all_by, deliver
from tests.builders.mail_events import body_of, event, public_key, signed
from tests.builders.sample_history import LAST_WEEK, SCORED_UNTIL, WEEK, History

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
SENT_AT = datetime.combine(LAST_WEEK + WEEK - timedelta(days=2), time(10), UTC)  # a Saturday: nobody mails later
HEARD_AT = SENT_AT + timedelta(hours=5)
READERS = f"""
with messages as (
    select
        account_id, message_id, min(occurred_at) filter (where event = 'sent') as sent_at, bool_or(event = 'open') as o
    from raw.email_events where occurred_at < '{LAST_WEEK + WEEK}' group by account_id, message_id
),
ranked as (
    select *, row_number() over (partition by account_id order by sent_at desc) as recency
    from messages where sent_at is not null
)
select account_id from ranked inner join marts.fct_account_weeks using (account_id)
where recency <= 3 and week = '{SCORED_UNTIL}'
group by account_id having count(*) = 3 and bool_and(o) order by account_id
"""
"""Accounts that have opened the last three mails they got, whoever sent them."""


@pytest.mark.slow(seconds=10)
@pytest.mark.requirement("S5-14")
def test_what_sendgrid_posts_of_our_mail_is_in_the_score_of_that_week_and_of_no_other(history: History) -> None:
    opens, ignores, *_ = [str(account) for (account,) in history.rows(READERS)]
    play = save_play(trigger={"kind": "manual"}, steps=[MAIL], exit=[])
    start(history.warehouse, play, [opens, ignores], Ask("ada", "a try", "now"), history.settings, SENT_AT)
    deliver(history.warehouse, history.settings, Clock(SENT_AT), all_by(ToldChannel()))
    mails = {str(row[0]): row for row in history.rows("select account_id, action_key, recipient from cs.actions")}
    assert set(mails) == {opens, ignores}
    before = metrics(history, SCORED_UNTIL)

    settings = history.settings.model_copy(update={"sendgrid_webhook_key": public_key()})
    told = [
        event(name, SENT_AT + timedelta(hours=hours), str(address), action_key=key, sg_message_id=f"{account}.0")
        for account, key, address in mails.values()
        for hours, name in enumerate(("processed", "delivered", *(("open", "click") if account == opens else ())))
    ]
    site = site_app(settings, PooledWarehouse(history.warehouse.url), Clock(HEARD_AT), is_open=True)
    with TestClient(site, base_url="https://tunnel.example") as sendgrid:
        answer = sendgrid.post("/webhooks/sendgrid", content=body_of(told), headers=signed(body_of(told), HEARD_AT))
    assert answer.status_code == 200, answer.text
    with history.runtime() as runtime:
        runtime.launcher.run_weeks(SCORED_UNTIL, LAST_WEEK)

    assert history.count("raw.email_events", "email_event_id like 'sendgrid %'") == 6
    assert metrics(history, SCORED_UNTIL) == before, "nobody knew of it then"
    after = metrics(history, LAST_WEEK)
    for account, opened in ((opens, 1), (ignores, 0)):
        sent, others_opened, clicked = others(history, account)
        assert after[account] == (sent + 1, (others_opened + opened) / (sent + 1), (clicked + opened) / (sent + 1))
    rows = history.rows(
        "select account_id, points from cs.score_points where model = 'weekly_points' "
        f"and metric = 'opened_last_3_emails' and week = '{LAST_WEEK}'"
    )
    points = {str(account): points for account, points in rows}
    assert points[opens] == 10
    assert points[ignores] == 0, "the last three mails are not all opened any more"


def metrics(history: History, week: object) -> dict[object, tuple[object, ...]]:
    """Mails of 90 days, the share opened and the share clicked, by account."""
    rows = history.rows(
        "select account_id, emails_sent_90d, email_open_rate_90d, email_click_rate_90d "
        f"from marts.fct_account_weeks where week = '{week}'"
    )
    return {account: tuple(values) for account, *values in rows}


def others(history: History, account: str) -> tuple[int, int, int]:
    """Mails of the last week's 90 days that are not ours, those opened and those clicked."""
    ends = LAST_WEEK + WEEK
    ((sent, opened, clicked),) = history.rows(
        "select count(*), count(*) filter (where o), count(*) filter (where c) from ("
        "select message_id, min(occurred_at) filter (where event = 'sent') as sent_at, bool_or(event = 'open') as o, "
        f"bool_or(event = 'click') as c from raw.email_events where account_id = '{account}' "
        f"and email_event_id not like 'sendgrid %' and occurred_at < '{ends}' group by 1) as mails "
        f"where sent_at >= date '{ends}' - 90"
    )
    return int(str(sent)), int(str(opened)), int(str(clicked))
