"""The product team's week: requests by feature, with the customers, the ARR and the renewals behind each."""

from datetime import UTC, datetime, timedelta

import pytest

from cs_pipeline.feedback import ledger
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.reports.dated.catalogue import kind_named, make_report
from cs_pipeline.reports.dated.lists import report_as_plain
from cs_pipeline.reports.dated.sending import send_report
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.feedback.conftest import say

DAY = timedelta(days=1)
WITHIN = MONDAY - 4 * DAY  # the week that ended is 3 to 9 March
FIRST = datetime(2025, 3, 3, tzinfo=UTC)


@pytest.mark.requirement("S3-50", "S3-53", "S3-54")
def test_requests_are_grouped_by_feature_with_what_hangs_on_them(talking: Company, settings: Settings) -> None:
    arr = {"starter": 1_000, "pro": 10_000, "enterprise": 50_000}
    for name, amount in arr.items():
        renews = (MONDAY + {"enterprise": 90, "pro": 91, "starter": 200}[name] * DAY).date()
        talking.metrics(name, account_name=name.title(), tier=name, arr=amount, renewal_date=renews)
    wish = {"kind": "feature_request", "said_at": WITHIN}
    say(talking, "one", "Folders", feature="campaigns", account_id="enterprise", **wish)
    say(talking, "again", "Folders!", feature="campaigns", account_id="enterprise", **{**wish, "said_at": FIRST})
    say(talking, "too", "Folders", feature="campaigns", **{**wish, "said_at": MONDAY - 12 * DAY})
    over = FIRST - 7 * DAY - timedelta(minutes=1)
    say(talking, "week before that", "Folders", **{**wish, "said_at": over, "settled_at": over + DAY})
    say(talking, "small", "A/B tests", account_id="starter", **wish)
    say(talking, "settled", "Folders", feature="campaigns", account_id="starter", settled_at=MONDAY - 5 * DAY, **wish)
    say(talking, "late", "Folders", feature="campaigns", **{**wish, "said_at": MONDAY - timedelta(hours=1)})
    say(talking, "long ago", "Folders", feature="campaigns", **{**wish, "said_at": MONDAY - 120 * DAY})
    say(talking, "odd", "We hardly use it", said_at=WITHIN)
    say(talking, "odd too", "We hardly use it", said_at=WITHIN)
    say(talking, "bug", "Broken", kind="bug", said_at=WITHIN)
    book = load_routing(None)
    with talking.warehouse.session() as session:
        ledger.route(session, book, settings, MONDAY)
        ledger.assign(session, ["feedback:odd too"], ["owner"], "olga", book, settings, MONDAY)
        made = report_as_plain(make_report(session, kind_named("product_feedback"), settings, MONDAY))
        assert send_report(session, kind_named("product_feedback"), settings, MONDAY, MONDAY).planned == 1
    assert made["headline"] == "4 open requests of 3 customers with $61,000 ARR, 3 of them new"
    assert made["changes"] == ("New requests a week rose from 1 to 3.", "1 request settled this week.")
    assert made["decisions"] == (
        "Campaigns: 2 customers with $60,000 ARR ask for it, $50,000 of it renews within 90 days. "
        "Build, plan, or say no?",
        "1 item in triage: cs-pipeline feedback list --triage",
    )
    by_feature, new, renewals = (table["rows"] for table in made["tables"])
    assert [tuple(row.values()) for row in by_feature] == [
        ("Campaigns", "3", "2", "2", "1", "$60,000", "$50,000"),
        ("A/B tests", "1", "1", "1", "0", "$1,000", "$0"),
    ]
    assert [(row["Account"], row["Words"]) for row in new] == [
        ("Enterprise", "Folders!"), ("Enterprise", "Folders"), ("Starter", "A/B tests"),
    ]  # fmt: skip
    assert [tuple(row.values())[:4] for row in renewals] == [("Enterprise", "8 June 2025", "Campaigns", "$50,000")]
    assert talking.column("select recipient from cs.actions where playbook = 'reports'") == ["#product"]
