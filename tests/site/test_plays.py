"""The pages of plays: what runs, what waits for a person, what was not sent and why, and whether it helps."""

from starlette.testclient import TestClient

from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.reports.plays.playbook_page import awaiting_approval, playbook_lines, playbook_page
from tests.builders.site import Sample
from tests.site.test_forms import action_of, one, submit


def played(sample: Sample) -> str:
    return str(one(sample, "select playbook from cs.enrolments order by enrolment_id limit 1"))


def test_playbooks_stand_with_what_runs_and_what_waits(changing: Sample) -> None:
    name = played(changing)
    action_of(changing, "suppressed")
    changing.history.rows(f"update cs.actions set due_at = '{changing.now}' where status = 'suppressed'")
    changing.history.rows(
        f"insert into cs.kill_switches (scope, name, reason, set_by, set_at) "
        f"values ('playbook', '{name}', 'holidays', 'olga', '{changing.now}')"
    )
    with changing.warehouse.session() as session:
        lines = {line["playbook"]: line for line in playbook_lines(session, load_playbooks(None), changing.now)}
        waiting = awaiting_approval(session)
    line = lines[name]
    assert set(lines) >= set(load_playbooks(None))
    assert line["running"] == one(changing, "select count(*) from cs.enrolments where status = 'active'")
    assert line["suppressed"] == 1
    assert line["is_stopped"]
    assert (
        line["awaiting"]
        == len(waiting)
        == one(changing, "select count(*) from cs.actions where status = 'awaiting_approval'")
    )


def test_a_playbook_says_what_was_not_sent_and_who_did_not_enter_and_why(changing: Sample, actor: TestClient) -> None:
    name = played(changing)
    action = action_of(changing, "suppressed")
    changing.history.rows(
        f"update cs.actions set reason = 'bad_fit', due_at = '{changing.now}' where action_id = {action}"
    )
    changing.history.rows(
        "update cs.enrolments set status = 'refused', reason = 'family', ended_at = enrolled_at "
        "where enrolment_id = (select max(enrolment_id) from cs.enrolments)"
    )
    with changing.warehouse.session() as session:
        page = playbook_page(session, name, load_playbooks(None)[name], changing.now)
    assert [(row["actions"], row["why"]) for row in page.not_sent] == [
        (1, "asks or offers; the product does not fit this customer")
    ]
    assert page.counts == {"active": 2, "refused": 1}
    assert [row["accounts"] for row in page.refused] == [1]
    assert sum(step["suppressed"] for step in page.steps) == 1
    text = actor.get(f"/plays/{name}").text
    for said in ("the product does not fit", "another play of the family", "too small to tell", "/do/actions/hold"):
        assert said in text


def test_actions_are_approved_and_held_on_the_page(changing: Sample, actor: TestClient) -> None:
    page = f"/plays/{played(changing)}"
    waiting = one(changing, "select min(action_id) from cs.actions where status = 'awaiting_approval'")
    assert submit(actor, "/do/actions/approve", back=page, id=waiting) == "1 action approved: taken when due."
    assert submit(actor, "/do/actions/hold", back=page, id=waiting).startswith("1 action on hold")
    assert one(changing, f"select status from cs.actions where action_id = {waiting}") == "awaiting_approval"


def test_a_playbook_that_is_not_there_is_said_in_a_sentence(reader: TestClient, changing: Sample) -> None:
    answer = reader.get("/plays/nothing")
    assert answer.status_code == 404
    assert "There is no playbook" in answer.text
    assert "/do/" not in reader.get("/plays").text + reader.get(f"/plays/{played(changing)}").text
    with changing.warehouse.session() as session:
        gone = playbook_page(session, played(changing), None, changing.now)
        assert played(changing) in {line["playbook"] for line in playbook_lines(session, {}, changing.now)}
    assert gone.steps
