"""A batch that is too large is told to the operations channel once, however often it is offered again."""

from pathlib import Path

import dagster as dg

from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.ops.enrolment import BatchConfig, PlaybooksConfig, enrol_accounts
from cs_pipeline.plays.delivery.dispatcher import deliver_notices
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company


def test_a_person_is_asked_once(warehouse: Warehouse, tmp_path: Path) -> None:
    company = Company(warehouse)
    accounts = company.accounts(4)
    settings = Settings(home=tmp_path, breaker_from=2)
    resources = {"warehouse": warehouse, "settings": settings, "clock": Clock(MONDAY)}
    triggers = [company.fall(account, from_score=80.0) for account in accounts]
    config = PlaybooksConfig(batches=[BatchConfig(playbook="yellow_adoption", trigger_ids=triggers)])
    for _ in range(2):
        with dg.build_op_context(resources=resources) as context:
            enrol_accounts(context, config)
        deliver_notices(warehouse, channels_for(settings, warehouse, Clock(MONDAY)), settings, Clock(MONDAY))
    ((recipient, body),) = company.run("select recipient, body_text from cs.captured_messages")
    assert recipient == settings.ops_channel
    assert "`cs-pipeline play release yellow_adoption`" in str(body)
    assert company.column("select count(*) from cs.enrolments") == [0]
