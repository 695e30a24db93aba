"""A rule that asks for it makes a task in the CRM of each item, once, and no shipped rule asks."""

from pathlib import Path

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.feedback import ledger
from cs_pipeline.feedback.ledger import Routed
from cs_pipeline.feedback.library import load_routing
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import deliver
from tests.feedback.conftest import say
from tests.feedback.test_routing import DAY


def routes(folder: Path, task_for: str) -> None:
    """Bugs are a task of `task_for`, wishes are nobody's."""
    (folder / "routing.yaml").write_text(
        "rules:\n"
        f"  - {{rule: bug, title: Bug, when: [{{kind: [bug]}}], to: development, task_for: {task_for}}}\n"
        "  - {rule: wish, title: Wish, when: [{kind: [feature_request]}], to: product}\n"
    )


def route(company: Company, settings: Settings) -> Routed:
    with company.warehouse.session() as session:
        return ledger.route(session, load_routing(settings.config), settings, MONDAY)


@pytest.mark.requirement("S3-55")
def test_each_item_is_one_task_of_who_is_named_and_stands_in_the_ledger(
    talking: Company, settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    routes(tmp_path, "owner")
    chosen = settings.model_copy(update={"config": tmp_path})
    talking.run("update marts.dim_accounts set owner_email = 'ada@ours.example' where account_id = 'enterprise'")
    talking.run(
        "update marts.dim_accounts set owner_email = null, manager_email = null, executive_email = null "
        "where account_id = 'starter'"
    )
    say(talking, "import", "The import fails", kind="bug", account_id="enterprise")
    say(talking, "export", "The export fails", kind="bug", account_id="enterprise")
    say(talking, "nobody's", "It fails", kind="bug", account_id="starter")
    say(talking, "long ago", "It failed", kind="bug", account_id="enterprise", said_at=MONDAY - 30 * DAY)
    say(talking, "wish", "Folders", kind="feature_request", account_id="enterprise")
    assert route(talking, chosen).tasks == 2
    assert route(talking, chosen) == Routed()
    deliver(talking.warehouse, chosen, clock)
    deliver(talking.warehouse, chosen, clock)
    tasks = talking.run("select kind, assignee, account_id, title, body from cs.crm_tasks order by body")
    assert [tuple(task[:3]) for task in tasks] == [("task", "ada@ours.example", "enterprise")] * 2
    assert all(str(task[3]).startswith("Bug: ") for task in tasks)
    assert ["export" in str(tasks[0][4]), "import" in str(tasks[1][4])] == [True, True]
    assert dict(talking.run("select source_id, cardinality(action_ids) from cs.routed_feedback")) == {
        "import": 2, "export": 2, "nobody's": 1, "long ago": 0, "wish": 1,
    }  # fmt: skip


def test_as_shipped_there_is_no_task_and_a_task_is_for_somebody_with_an_address(
    talking: Company, settings: Settings, tmp_path: Path
) -> None:
    chosen = settings.model_copy(update={"config": tmp_path})
    say(talking, "import", "The import fails", kind="bug")
    assert not any(rule.task_for for rule in load_routing(None).rules)
    routes(tmp_path, "'#development'")
    with pytest.raises(UserError, match=r"(?s)routing.yaml:2: .*task_for.*a task is a person's"):
        load_routing(tmp_path)
    routes(tmp_path, "development")
    with pytest.raises(UserError, match=r"rule bug has a task for development, a team without an address"):
        route(talking, chosen)
    (tmp_path / "alerts.yaml").write_text("teams: {development: {channel: '#dev', email: dev@ours.example}}\n")
    assert route(talking, chosen).tasks == 1
    assert talking.run("select recipient from cs.actions where channel = 'crm'") == [("dev@ours.example",)]
