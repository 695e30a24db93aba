"""Forms go through the functions of the command line, under the name of who acts, and say what was done."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from cs_pipeline.site.csrf import COOKIE
from cs_pipeline.site.registry import FORMS
from tests.builders.site import ACTOR, HEADER, HOSTILE, Sample, client_of
from tests.command_line import run_command


def submit(client: TestClient, path: str, *, back: str = "/today", **fields: Any) -> str:
    """Send a form as its page would; returns what the next page says was done, or why not."""
    client.get("/messages")
    answer = client.post(path, data={"csrf": client.cookies[COOKIE], "back": back, **fields})
    assert answer.status_code == 303, answer.text
    following = client.get(answer.headers["location"]).text
    (said,) = re.findall(r'<p class="flash[^>]*>(.*?)</p>', following, re.S)
    assert '<p class="flash' not in client.get(back).text  # said once
    return str(said)


def one(sample: Sample, sql: str) -> Any:
    return sample.history.rows(sql)[0][0]


def action_of(sample: Sample, status: str) -> int:
    action = one(sample, "select min(action_id) from cs.actions where enrolment_id is not null")
    sample.history.rows(
        f"update cs.actions set status = '{status}', expires_at = '2099-01-01', due_at = '2098-01-01' "
        f"where action_id = {action}"
    )
    return int(action)


def test_taking_an_alert_is_recorded_under_the_name_of_who_took_it(changing: Sample, actor: TestClient) -> None:
    alert = one(changing, "select max(alert_id) from cs.alerts")
    assert submit(actor, "/do/alerts/acknowledge", id=alert) == "You look after 1 alert now."
    assert one(changing, f"select acknowledged_by from cs.alerts where alert_id = {alert}") == ACTOR
    assert (
        one(changing, f"select decided_by from cs.alert_changes where alert_id = {alert} and cause = 'acknowledged'")
        == ACTOR
    )
    assert submit(actor, "/do/alerts/acknowledge", id=alert) == "Somebody looks after it already."


def test_snoozing_and_silencing_last_until_the_end_of_the_day_in_the_team_s_zone(changing: Sample) -> None:
    alert = one(changing, "select max(alert_id) from cs.alerts")
    day = changing.today + timedelta(days=3)
    with client_of(changing, acts=True, timezone="America/New_York") as client:
        said = submit(client, "/do/alerts/snooze", id=alert, until=day, reason="paid soon")
        assert said == f"Nobody is told of 1 alert until the end of {day}."
        submit(client, "/do/alerts/silence", account=changing.account, until=day, reason="moving")
    until = one(changing, f"select snoozed_until from cs.alerts where alert_id = {alert}")
    assert f"{until:%Y-%m-%d %H}" in (f"{day + timedelta(days=1)} 04", f"{day + timedelta(days=1)} 05")
    assert changing.history.rows("select account_id, set_by, until from cs.alert_silences") == [
        (changing.account, ACTOR, until)
    ]


@pytest.mark.parametrize(("verb", "before", "after"), [
    ("approve", "awaiting_approval", "planned"), ("hold", "planned", "awaiting_approval"),
    ("cancel", "planned", "cancelled"), ("resend", "cancelled", "planned"),
])  # fmt: skip
def test_actions_are_decided_on(changing: Sample, actor: TestClient, verb: str, before: str, after: str) -> None:
    action = action_of(changing, before)
    assert submit(actor, f"/do/actions/{verb}", id=action).startswith("1 action ")
    assert one(changing, f"select status from cs.actions where action_id = {action}") == after
    assert one(changing, f"select decided_by from cs.action_decisions where action_id = {action}") == ACTOR


def test_what_cannot_be_done_is_said_and_changes_nothing(changing: Sample, actor: TestClient) -> None:
    action = action_of(changing, "sent")
    assert "approve is for awaiting_approval" in submit(actor, "/do/actions/approve", id=action)
    assert one(changing, f"select status from cs.actions where action_id = {action}") == "sent"
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("/do/actions/approve", {}, "Nothing is chosen"),
        ("/do/actions/approve", {"id": "1; drop"}, "takes numbers"),
        ("/do/alerts/snooze", {"id": 1, "until": "soon", "reason": "x"}, "is no day"),
        ("/do/alerts/snooze", {"id": 1, "until": "9999-12-31", "reason": "x"}, "lies too far away"),
        ("/do/alerts/silence", {"until": "2099-01-01", "reason": " "}, "Say "),
        ("/do/alerts/silence", {"rule": "no_such", "until": "2099-01-01", "reason": "x"}, "no_such"),
        ("/do/plays/start", {"playbook": "no_such", "account": "a"}, "no_such"),
        (
            "/do/scores/override",
            {"account": "a", "until": "2099-01-01", "reason": "x", "score": "many"},
            "is no number",
        ),
        ("/do/scores/override", {"account": "a", "until": "2099-01-01", "reason": "x", "score": "nan"}, "is no number"),
        ("/do/scores/withdraw", {"account": "a"}, "Nothing is set"),
        ("/do/tasks/done", {"id": 10**9}, "There is no task"),
        ("/do/accounts/converse", {"account": "a", "kind": "call", "held_on": "2024-01-01"}, "There is no account"),
        ("/do/accounts/converse", {"account": "a", "kind": "dance", "held_on": "2024-01-01"}, "is no kind"),
        ("/do/accounts/converse", {"account": "a", "kind": "call", "held_on": "2099-01-01"}, "still to come"),
        ("/do/alerts/lift", {"id": 10**9}, "There is no silence"),
    )
    for path, fields, said in cases:
        assert said in submit(actor, path, **fields), path


def test_a_play_is_started_with_all_its_guards(changing: Sample, actor: TestClient) -> None:
    name = one(changing, "select playbook from cs.enrolments order by enrolment_id limit 1")
    account = changing.accounts[4]
    said = submit(actor, "/do/plays/start", playbook=name, account=account, reason="worth a fight")
    assert ": enrolled." in said or ": refused, since " in said
    assert (
        one(
            changing,
            f"select facts ->> 'started_by' from cs.triggers where account_id = '{account}' and kind = 'manual'",
        )
        == ACTOR
    )
    assert "asked for today already" in submit(actor, "/do/plays/start", playbook=name, account=account)


def test_a_score_is_set_by_hand_and_withdrawn(changing: Sample, actor: TestClient) -> None:
    end = changing.today + timedelta(days=30)
    page = f"/accounts/{changing.account}"
    said = submit(
        actor,
        "/do/scores/override",
        back=page,
        account=changing.account,
        score="12",
        until=str(end),
        reason="new owner",
    )
    assert said.startswith(f"Set for {changing.account}")
    assert changing.history.rows("select score, reason, set_by from cs.score_overrides") == [(12.0, "new owner", ACTOR)]
    assert "score set by hand" in actor.get(page).text
    submit(actor, "/do/scores/withdraw", back=page, account=changing.account)
    assert "score set by hand" not in actor.get(page).text


def test_a_conversation_is_noted_on_the_page_and_on_the_command_line(
    changing: Sample, actor: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, today = f"/accounts/{changing.account}", changing.today
    noted = {"account": changing.account, "kind": "qbr"}
    words = f"Ada Lovelace moves on in May {HOSTILE}"
    said = submit(actor, "/do/accounts/converse", back=page, held_on=str(today), note=words, **noted)
    assert said == f"Noted: qbr on {today}. The next scored week counts it."
    submit(actor, "/do/accounts/converse", held_on=str(today - timedelta(days=3)), **noted)
    for name, value in (("DATABASE_URL", changing.warehouse.url), ("HOME", str(changing.history.home))):
        monkeypatch.setenv(f"CS_PIPELINE_{name}", value)
    monkeypatch.setenv("CS_PIPELINE_NOW", changing.now.isoformat())
    asked = ("task", "note", changing.account, "--kind", "check_in", "--held-at", "2024-01-02T10:00", "--said", "Well")
    assert run_command(monkeypatch, capsys, *asked, "--by", ACTOR)[0] == 0
    code, told = run_command(monkeypatch, capsys, *asked, "--by", "nobody")
    assert code != 0
    assert "is no e-mail address" in told
    kept = changing.history.rows(
        "select kind, owner_email, held_at from raw.touchpoints where touchpoint_id like 'noted-%' order by held_at"
    )
    noon = datetime.combine(today - timedelta(days=3), time(12), UTC)
    assert kept == [
        ("check_in", ACTOR, datetime(2024, 1, 2, 10, tzinfo=UTC)),
        ("qbr", ACTOR, noon),
        ("qbr", ACTOR, changing.now),
    ]
    text = actor.get(page).text
    assert re.search(r"<dt>Last touch</dt><dd>today<small>qbr", text)
    assert "QBR: Ada Lovelace moves on in May" in text
    assert HOSTILE not in text
    assert changing.history.rows("select account_id, note, noted_by from cs.conversation_notes order by note") == [
        (changing.account, words, ACTOR),
        (changing.account, "Well", ACTOR),
    ]


def test_silences_are_lifted_and_what_a_rule_holds_is_dismissed(changing: Sample, actor: TestClient) -> None:
    end = str(changing.today + timedelta(days=3))
    submit(actor, "/do/alerts/silence", account=changing.account, until=end, reason="moving")
    silence = one(changing, "select silence_id from cs.alert_silences")
    assert submit(actor, "/do/alerts/lift", id=silence) == "1 silence lifted."
    assert one(changing, "select lifted_at from cs.alert_silences") == changing.now
    changing.history.rows("update cs.alerts set is_held = true where rule = 'no_login'")
    assert submit(actor, "/do/alerts/dismiss", rule="no_login") == "1 alert of no_login dismissed."
    assert changing.history.rows("select state, is_held from cs.alerts where rule = 'no_login'") == [("closed", False)]
    changes = "select count(*) from cs.alert_changes join cs.alerts using (alert_id) where alerts.rule = 'no_login'"
    assert one(changing, f"{changes} and decided_by = '{ACTOR}'") == 1


def test_a_task_is_done_once(changing: Sample, actor: TestClient) -> None:
    changing.history.rows(
        "insert into cs.crm_tasks (external_id, kind, account_id, title, body, assignee, due_on, priority, created_at) "
        f"values ('t1', 'task', '{changing.account}', 'Call', '', '{ACTOR}', '{changing.today}', 'high', now())"
    )
    task = one(changing, "select max(task_id) from cs.crm_tasks")
    assert submit(actor, "/do/tasks/done", id=task) == "1 task done."
    assert submit(actor, "/do/tasks/done", id=task) == "It was done already."
    assert one(changing, f"select completed_by from cs.crm_tasks where task_id = {task}") == ACTOR


def test_nobody_acts_without_a_name_or_without_the_token_of_their_browser(changing: Sample, actor: TestClient) -> None:
    before = counted_rows(changing)
    actor.get("/messages")
    elsewhere = {"Origin": "https://evil.example"}
    with client_of(changing) as reader, client_of(changing, acts=True) as unknown:
        reader.get("/messages")
        del unknown.headers[HEADER]
        for form in FORMS:
            answer = reader.post(form.path, data={"csrf": reader.cookies[COOKIE], "id": "1"})
            assert answer.status_code == 403
            assert "read-only" in answer.text
            for sent in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
                assert actor.post(form.path, data={**sent, "id": "1"}).status_code == 403
            known = {"csrf": actor.cookies[COOKIE], "id": "1"}
            assert actor.post(form.path, data=known, headers=elsewhere).status_code == 403
            assert actor.get(form.path).status_code == 405
            assert unknown.post(form.path, data={"csrf": "x"}).status_code == 403
    assert counted_rows(changing) == before


def counted_rows(sample: Sample) -> list[tuple[object, ...]]:
    tables = ("alert_changes", "alert_silences", "action_decisions", "triggers", "score_overrides")
    return sample.history.rows("select " + ", ".join(f"(select count(*) from cs.{name})" for name in tables))


def test_a_form_leads_nowhere_else(actor: TestClient) -> None:
    actor.get("/messages")
    for back in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
    ):
        answer = actor.post("/do/tasks/done", data={"csrf": actor.cookies[COOKIE], "id": "1", "back": back})
        assert answer.headers["location"] == "/"


def test_forms_are_shown_to_those_who_may_act_only(changing: Sample, actor: TestClient) -> None:
    page = f"/accounts/{changing.account}"
    assert "/do/alerts/acknowledge" in actor.get(page).text
    with client_of(changing) as reader:
        assert "/do/" not in reader.get(page).text + reader.get("/today").text


def test_what_the_circuit_breaker_holds_is_decided_on_the_page_of_its_playbook(
    changing: Sample, actor: TestClient
) -> None:
    name = one(changing, "select playbook from cs.enrolments order by enrolment_id limit 1")
    account = changing.accounts[5]

    def trip(number: int) -> None:
        changing.history.rows(
            f"""
            with asked as (
                insert into cs.triggers (
                    kind, trigger_key, account_id, subject_id, anchor_on, occurred_at, facts
                )
                select
                    'manual', 'held {number}', '{account}', '{account}', '{changing.today}', '{changing.now}', '{{}}'
                returning trigger_id
            )
            insert into cs.breaker_trips (playbook, accounts, share_of_accounts, share_of_arr, trigger_ids, tripped_at)
            select '{name}', 1, 0.9, 0.9, array[trigger_id], '{changing.now}' from asked
            """
        )

    trip(1)
    assert "/do/plays/release" in actor.get(f"/plays/{name}").text
    assert "1 trigger refused" in submit(actor, "/do/plays/dismiss", back=f"/plays/{name}", playbook=name)
    assert "/do/plays/release" not in actor.get(f"/plays/{name}").text
    trip(2)
    assert "goes on: " in submit(actor, "/do/plays/release", back=f"/plays/{name}", playbook=name)
    decided = changing.history.rows("select decision, decided_by from cs.breaker_trips order by trip_id")
    assert decided == [("dismissed", ACTOR), ("released", ACTOR)]
    assert "waits for a decision" in submit(actor, "/do/plays/release", playbook=name)
