"""The pages about alerts: a list that can be narrowed and paged, one alert whole, rules with what they were worth."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from cs_pipeline.alerts.live_scorecards import keep_scorecards, kept_scorecards
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.errors import UserError
from cs_pipeline.reports.alerts import browsing
from cs_pipeline.reports.alerts.browsing import (
    SHOWS,
    SORTS,
    AlertQuestion,
    alert_list,
    counts_by_rule,
    counts_by_show,
)
from cs_pipeline.reports.alerts.rule_list import WEEKS, rule_lines
from tests.builders.alerts import fire
from tests.builders.site import ACTOR, CARD, Sample
from tests.site.test_forms import submit

TOLD = "rule = 'renewal_without_qbr' and reopened = 1"


def asked(sample: Sample, limit: int = 500, **question: Any) -> list[dict[str, Any]]:
    with sample.warehouse.session() as session:
        return alert_list(session, AlertQuestion(**question), {}, sample.now, limit).rows


def alert_of(sample: Sample, condition: str) -> int:
    return int(sample.history.rows(f"select min(alert_id) from cs.alerts where {condition}")[0][0])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("sort", SORTS)
def test_paging_shows_each_alert_once_in_the_order_of_all(sample: Sample, sort: str) -> None:
    for show in SHOWS:
        whole = [row["alert_id"] for row in asked(sample, show=show, sort=sort)]
        paged = [
            row["alert_id"]
            for page in range(len(whole) // 3 + 1)
            for row in asked(sample, 3, show=show, sort=sort, page=page)
        ]
        assert paged == whole
        assert len(set(whole)) == len(whole)


def test_alerts_stand_where_what_became_of_them_puts_them(changing: Sample) -> None:
    alert = fire(changing.warehouse, "late", changing.account, "x", fired_at=changing.now)

    def stands_in() -> set[str]:
        return {show for show in SHOWS if alert in {row["alert_id"] for row in asked(changing, show=show)}}

    assert stands_in() == {"open", "untaken"}
    for change, where in (
        ("snoozed_until = '2099-01-01'", {"open", "snoozed"}),
        ("snoozed_until = null, acknowledged_at = since", {"open", "acknowledged"}),
        ("acknowledged_at = null, inhibited_by = 'x'", {"open"}),
        ("inhibited_by = null, is_held = true", {"held"}),
        ("is_held = false, state = 'pending'", {"pending"}),
        ("state = 'closed', cause = 'expired', ended_at = since", {"over"}),
    ):
        changing.history.rows(f"update cs.alerts set {change} where alert_id = {alert}")
        assert stands_in() == where, change
        with changing.warehouse.session() as session:
            counts, by_rule = counts_by_show(session, changing.now), counts_by_rule(session)
        assert counts == {show: len(asked(changing, show=show)) for show in counts}
        assert by_rule.get("late", 0) == (where != {"over"})


def test_the_list_is_narrowed_by_rule_severity_owner_and_text(sample: Sample) -> None:
    rows = asked(sample)
    first = next(row for row in rows if row["account_id"] and row["owner_email"])
    for name, value, column in (
        ("rule", first["rule"], "rule"),
        ("severities", [first["severity"]], "severity"),
        ("owner", first["owner_email"].upper(), "owner_email"),
        ("search", first["account_id"].upper(), "account_id"),
    ):
        question: dict[str, Any] = {name: value}
        found = asked(sample, **question)
        wanted = {row["alert_id"] for row in rows if row[column] == first[column]}
        assert {row["alert_id"] for row in found} == wanted, name
        assert 0 < len(wanted) < len(rows)
    assert asked(sample, search="%") == []
    wrong: tuple[dict[str, Any], ...] = ({"show": "x"}, {"sort": "x"}, {"severities": ["x"]})
    for question in wrong:
        with pytest.raises(UserError, match=r"is 'x'; expected"):
            asked(sample, **question)


def test_more_alerts_than_are_counted_are_not_counted_one_by_one(
    sample: Sample, reader: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "COUNTED", 2)
    with sample.warehouse.session() as session:
        assert alert_list(session, AlertQuestion(), {}, sample.now, 1).count == 2
    assert "No alert fits." in reader.get("/alerts?search=nothing+has+this+name").text
    assert "The list is shorter than that." in reader.get("/alerts?page=150").text
    assert reader.get("/alerts?show=colour").status_code == 404


def test_an_alert_is_told_whole(sample: Sample, reader: TestClient) -> None:
    text = reader.get(f"/alerts/{alert_of(sample, TOLD)}").text
    for said in (
        "came back once",
        "Who was told",
        "somebody had taken it before",
        "in the digest, due",
        "escalation",
    ):
        assert said in text
    assert "Other open alerts of the account" in text
    assert "/do/" not in text
    of_none = alert_of(sample, "account_id = ''")
    whole = reader.get(f"/alerts/{of_none}").text
    assert "Signups" in whole
    assert "Acme" in whole
    over = alert_of(sample, "cause = 'dismissed'")
    assert "it was dismissed" in reader.get(f"/alerts/{over}").text


def test_an_alert_says_which_plays_it_started(changing: Sample, actor: TestClient) -> None:
    alert = alert_of(changing, TOLD)
    changing.history.rows(
        f"""
        update cs.triggers set kind = 'alert', trigger_key = (
            select concat_ws(
                ':', 'alert', rule, account_id, nullif(entity, account_id), extract(epoch from fired_at)::bigint
            )
            from cs.alerts where alert_id = {alert}
        ) where trigger_id = (select min(trigger_id) from cs.enrolments)
        """
    )
    (title,) = changing.history.rows(
        "select definition ->> 'title' from cs.playbooks inner join cs.enrolments using (playbook, playbook_version) "
        "where trigger_id = (select min(trigger_id) from cs.enrolments) limit 1"
    )[0]
    assert str(title) in actor.get(f"/alerts/{alert}").text


def test_an_alert_that_is_not_there_is_said_in_a_sentence(reader: TestClient) -> None:
    for number in ("0", "99999999", "9" * 30):
        answer = reader.get(f"/alerts/{number}")
        assert answer.status_code == 404
        assert "There is no alert" in answer.text
    assert reader.get("/alerts/x").status_code == 404


def test_people_decide_on_the_page_of_an_alert(changing: Sample, actor: TestClient) -> None:
    alert = alert_of(changing, TOLD)
    page, end = f"/alerts/{alert}", changing.today + timedelta(days=3)
    assert submit(actor, "/do/alerts/acknowledge", back=page, id=alert).startswith("You look after")
    submit(actor, "/do/alerts/snooze", back=page, id=alert, until=end, reason="they are away")
    text = actor.get(page).text
    assert f"taken by {ACTOR}" in text
    assert "they are away" in text
    submit(actor, "/do/alerts/silence", back="/alerts/silences", rule="invoice_overdue", until=end, reason="feed moves")
    assert "feed moves" in actor.get("/alerts/silences").text
    (number,) = changing.history.rows("select max(silence_id) from cs.alert_silences")[0]
    submit(actor, "/do/alerts/lift", back="/alerts/silences", id=number)
    assert "Nothing is silent." in actor.get("/alerts/silences").text
    assert "/do/alerts/release" in actor.get("/alerts/rules").text
    assert "1 alert of invoice_overdue dismissed" in submit(actor, "/do/alerts/dismiss", rule="invoice_overdue")
    assert "/do/alerts/release" not in actor.get("/alerts/rules").text


def test_rules_say_what_they_were_worth_and_how_often_they_fire(changing: Sample, actor: TestClient) -> None:
    rules = load_rules(None)
    with changing.warehouse.session() as session:
        assert [card for card in kept_scorecards(session) if card.rule == CARD.rule] == [CARD]
        before = {line.rule.name: line for line in rule_lines(session, rules, changing.now)}
    assert set(before) == set(rules)
    for weeks, count in ((0.5, 2), (WEEKS - 0.5, 1), (WEEKS + 0.5, 4)):
        for number in range(count):
            at = changing.now - timedelta(weeks=weeks)
            fire(changing.warehouse, "invoice_large", changing.account, f"{weeks}-{number}", fired_at=at)
    with changing.warehouse.session() as session:
        after = {line.rule.name: line for line in rule_lines(session, rules, changing.now)}
    added = [new - old for old, new in zip(before["invoice_large"].weekly, after["invoice_large"].weekly, strict=True)]
    assert added == [1, *[0] * (WEEKS - 2), 2]
    text = actor.get("/alerts/rules?verdict=keep").text
    for said in ("45%", "32% to 60%", "4.5 ×", "2.1 to 7.2", "21 days", "20 of 44 firings were followed by"):
        assert said in text
    keep_scorecards(changing.warehouse, [], changing.now)
    assert "No rule fits." in actor.get("/alerts/rules?type=nothing").text
