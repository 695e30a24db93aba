"""What the page at the end of the demo says about plays."""

from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.reports.plays.queries import actions_by_playbook, newest_plays
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play


def test_a_play_that_starts_often_hides_no_other(company: Company, settings: Settings) -> None:
    accounts = company.accounts(3)
    enrol(company.warehouse, save_play(), [company.fall("a0")], settings, MONDAY)
    check_in = save_play(
        playbook="check_in", family="check_in", trigger={"kind": "cadence", "when": "cadence == 'check_in'"}
    )
    due = [
        company.trigger("cadence", each, cadence="check_in", every_days=30, due_on="2025-03-09") for each in accounts
    ]
    enrol(company.warehouse, check_in, due, settings, MONDAY)
    gone = save_play(
        playbook="winback",
        family="winback",
        trigger={"kind": "lifecycle", "when": "anchor == 'churn'"},
        exit=[],
        for_former_customers=True,
    )
    company.account("gone", churned_at=MONDAY)
    enrol(company.warehouse, gone, [company.trigger("lifecycle", "gone", anchor="churn")], settings, MONDAY)
    with company.warehouse.session() as session:
        found = newest_plays(session, 4)
    assert found[["playbook", "account", "why"]].to_numpy().tolist() == [
        ["winback", "Gone", "churn on 2025-03-10"],
        ["check_in", "A2", "check in due on 2025-03-09"],
        ["yellow", "A0", "80 → 60 (), "],
        ["check_in", "A1", "check in due on 2025-03-09"],
    ]
    with company.warehouse.session() as session:
        counts = actions_by_playbook(session)[["playbook", "channel", "planned"]]
    assert counts.to_numpy().tolist() == [
        ["check_in", "crm", 3],
        ["check_in", "email", 6],
        ["winback", "crm", 1],
        ["winback", "email", 2],
        ["yellow", "crm", 1],
        ["yellow", "email", 2],
    ]
