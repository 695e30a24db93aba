"""What became of tasks is known whichever CRM is used: in the table, in HubSpot, in Salesforce."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from cs_pipeline.channels.crm_api import ConnectedCrm
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.jobs.crm_status import read_crm_status
from cs_pipeline.orchestration.keys import TASK_STATUS
from cs_pipeline.orchestration.schedules import build_schedules
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.crm_sync import ReadBack, complete, open_tasks, read_back
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import all_by, deliver
from tests.channels import test_hubspot, test_salesforce
from tests.fakes.hubspot_portal import TOKEN, Portal
from tests.fakes.provider import Answer, provider
from tests.fakes.salesforce_org import Org

LATER = MONDAY + timedelta(hours=3)
OWNER = "olga@ours.example"
CALL = {"step": "call", "day": 0, "channel": "crm", "to": "owner", "template": "t", "intent": "inform"}
STATUS = "select crm, kind, status, assignee, due_on, completed_at, read_at from cs.task_status order by action_key"


def in_the_crm(company: Company, settings: Settings, clock: Clock, crm: ConnectedCrm | None, accounts: int = 1) -> None:
    """A play that gives the owner of each account a task, delivered."""
    triggers = [company.fall(company.account(name, severity=1)) for name in ("acme", "beta")[:accounts]]
    enrol(company.warehouse, save_play(exit=[], steps=[CALL]), triggers, settings, MONDAY)
    deliver(company.warehouse, settings, clock, None if crm is None else all_by(crm))


@contextmanager
def hubspot() -> Iterator[tuple[ConnectedCrm, Callable[[], None]]]:
    """HubSpot, and what completes the first task there."""
    portal = Portal(owners={OWNER: "71"})

    def complete_there() -> None:
        done = {"hs_task_status": "COMPLETED", "hs_task_completion_date": "2025-03-10T14:00:00Z"}
        portal.records["tasks"]["1000"] |= done

    with test_hubspot.connected(portal) as (channel, _):
        yield channel, complete_there


@contextmanager
def salesforce() -> Iterator[tuple[ConnectedCrm, Callable[[], None]]]:
    """Salesforce, and what completes the first task there."""
    org = Org(users={OWNER: "005O"})

    def complete_there() -> None:
        done = {"Status": "Completed", "CompletedDateTime": "2025-03-10T14:00:00.000+0000"}
        org.records["Task"]["00T0"] |= done

    with test_salesforce.connected(org) as (channel, _):
        yield channel, complete_there


@pytest.mark.requirement("S4-187")
@pytest.mark.parametrize("connected", [hubspot, salesforce])
def test_a_task_of_a_connected_crm_is_open_until_it_is_read_back_as_completed(
    company: Company, settings: Settings, clock: Clock, connected: Callable
) -> None:
    with connected() as (crm, complete_there):
        in_the_crm(company, settings, clock, crm)
        due_on = MONDAY.date()
        assert company.run(STATUS) == [(crm.name, "task", "open", OWNER, due_on, None, None)]
        assert read_back(company.warehouse, crm, MONDAY) == ReadBack(asked=1, completed=0, removed=0)
        assert company.run(STATUS) == [(crm.name, "task", "open", OWNER, due_on, None, MONDAY)]
        complete_there()
        assert read_back(company.warehouse, crm, LATER) == ReadBack(asked=1, completed=1, removed=0)
        done_at = datetime(2025, 3, 10, 14, tzinfo=UTC)
        assert company.run(STATUS) == [(crm.name, "task", "completed", OWNER, due_on, done_at, LATER)]
    assert company.column("select count(*) from cs.crm_tasks") == [0]


@pytest.mark.requirement("S4-187")
def test_where_no_crm_is_connected_a_person_says_which_tasks_are_done(
    company: Company, settings: Settings, clock: Clock
) -> None:
    in_the_crm(company, settings, clock, None, accounts=2)
    with company.warehouse.session() as session:
        listed = open_tasks(session)
        assert len(open_tasks(session, OWNER.upper())) == 2
        assert open_tasks(session, "nobody@ours.example").empty
        first, second = (int(task_id) for task_id in listed["task_id"])
        assert complete(session, [first], "mara", LATER) == 1
        assert complete(session, [first], "somebody else", LATER + timedelta(days=1)) == 0
        assert open_tasks(session)["task_id"].tolist() == [second]
    assert [row[2:] for row in company.run(STATUS)] == [
        ("completed", OWNER, date(2025, 3, 10), LATER, None),
        ("open", OWNER, date(2025, 3, 10), None, None),
    ]
    assert company.column("select completed_by from cs.crm_tasks order by task_id") == ["mara", None]


def test_one_unknown_task_and_nothing_is_noted(company: Company, settings: Settings, clock: Clock) -> None:
    in_the_crm(company, settings, clock, None)
    with company.warehouse.session() as session, pytest.raises(UserError, match="There is no task 77, 78;"):
        complete(session, [1, 78, 77], "mara", LATER)
    assert [row[2] for row in company.run(STATUS)] == ["open"]


def test_what_is_done_or_gone_is_asked_for_only_when_a_person_wants_it_again(
    company: Company, settings: Settings, clock: Clock
) -> None:
    portal = Portal(owners={OWNER: "71"})
    with test_hubspot.connected(portal) as (crm, listening):
        in_the_crm(company, settings, clock, crm, accounts=2)
        tasks = portal.records["tasks"]
        tasks["1000"]["hs_task_status"] = "COMPLETED"
        gone = tasks.pop("1001")
        assert read_back(company.warehouse, crm, MONDAY) == ReadBack(asked=2, completed=1, removed=1)
        before = len(listening.requests)
        assert read_back(company.warehouse, crm, LATER) == ReadBack(0, 0, 0)
        assert len(listening.requests) == before
        tasks["1000"]["hs_task_status"], tasks["1001"] = "NOT_STARTED", gone
        assert read_back(company.warehouse, crm, LATER, again=True) == ReadBack(asked=2, completed=0, removed=0)
    assert [row[2] for row in company.run(STATUS)] == ["open", "open"]


def test_a_crm_that_cannot_be_read_leaves_what_was_known(company: Company, settings: Settings, clock: Clock) -> None:
    portal = Portal(owners={OWNER: "71"})
    with test_hubspot.connected(portal) as (crm, _):
        in_the_crm(company, settings, clock, crm)
        read_back(company.warehouse, crm, MONDAY)
        portal.instead["/tasks/batch/read"] = Answer(500, b"oops")
        with pytest.raises(UserError, match="cannot be read back"):
            read_back(company.warehouse, crm, LATER)
    assert [row[2:] for row in company.run(STATUS)] == [("open", OWNER, MONDAY.date(), None, MONDAY)]


@pytest.mark.requirement("S4-187")
def test_the_job_reads_the_crm_that_is_connected(company: Company, tmp_path: Path, clock: Clock) -> None:
    with provider(Portal(owners={OWNER: "71"})) as portal:
        settings = Settings(
            home=tmp_path,
            delivery="live",
            crm="hubspot",
            hubspot_access_token=SecretStr(TOKEN),
            hubspot_host=portal.url,
            sendgrid_api_key=SecretStr("SG.key"),
            slack_bot_token=SecretStr("xoxb"),
        )
        in_the_crm(company, settings, clock, None)
        resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
        result = read_crm_status.execute_in_process(resources=resources)
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == TASK_STATUS
    assert [(row[0], row[2], row[6]) for row in company.run(STATUS)] == [("hubspot", "open", MONDAY)]


def test_the_job_asks_nobody_while_messages_are_captured(company: Company, settings: Settings, clock: Clock) -> None:
    connected = settings.model_copy(update={"crm": "hubspot"})
    resources = {"warehouse": company.warehouse, "settings": connected, "clock": clock}
    result = read_crm_status.execute_in_process(resources=resources)
    assert result.success
    assert result.get_asset_materialization_events() == []


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        ({}, False),
        ({"crm": "hubspot"}, False),
        ({"delivery": "live"}, False),
        ({"delivery": "live", "crm": "hubspot"}, True),
    ],
)
def test_the_hour_asks_for_a_reading_only_where_there_is_something_to_read(
    settings: Settings, changes: dict[str, str], reads: bool
) -> None:
    *_, schedule = build_schedules(settings.model_copy(update=changes))
    context = dg.build_schedule_context(scheduled_execution_time=MONDAY, resources={"clock": Clock()})
    asked = schedule(context)
    assert isinstance(asked, dg.RunRequest) == reads
