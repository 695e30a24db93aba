"""What the plays have done so far, in numbers."""

from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.reports.plays.queries import enrolled_and_refused
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play


def test_refusals_are_counted_with_their_most_frequent_reason(company: Company, settings: Settings) -> None:
    for account in ("acme", "bolt", "crux"):
        company.account(account, severity=1)
    company.account("well", severity=0)
    falls = [company.fall(account) for account in ("acme", "bolt", "crux", "well")]
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "insert into cs.kill_switches (scope, name, reason, set_by, set_at) "
            "values ('account', 'bolt', 'so', 'olga', %(now)s), ('account', 'crux', 'so', 'olga', %(now)s)",
            {"now": MONDAY},
        )
    enrol(company.warehouse, save_play(), falls, settings, MONDAY)
    with company.warehouse.session() as session:
        (found,) = enrolled_and_refused(session).to_dict("records")
    assert (found["enrolled"], found["refused"], found["reason"]) == (1, 3, "kill_switch")


def test_a_trigger_that_a_playbook_does_not_wait_for_is_no_refusal(company: Company, settings: Settings) -> None:
    company.account("acme", severity=2)
    enrol(company.warehouse, save_play(), [company.fall("acme", to_severity=2)], settings, MONDAY)
    with company.warehouse.session() as session:
        found = enrolled_and_refused(session)
    assert company.column("select reason from cs.enrolments") == ["trigger"]
    assert found.empty
