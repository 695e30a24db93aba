"""What a tick of a sensor asks for: few runs, whose cause is their key."""

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.sensors.playbooks import TRIGGERS_IN_A_RUN, playbook_requests, playbooks_sensor
from cs_pipeline.plays.triggers.dispatch_cursor import TriggerBatch
from cs_pipeline.settings import Settings
from tests.builders.company import Company


def batches_of(requests: list) -> list[list[tuple[str, int]]]:
    return [
        [
            (batch["playbook"], len(batch["trigger_ids"]))
            for batch in request.run_config["ops"]["enrol_accounts"]["config"]["batches"]
        ]
        for request in requests
    ]


def test_all_playbooks_of_a_tick_decide_in_one_run_and_in_their_order() -> None:
    requests = playbook_requests([TriggerBatch("red_save", (1, 2)), TriggerBatch("yellow_adoption", (1,))], "")
    assert batches_of(requests) == [[("red_save", 2), ("yellow_adoption", 1)]]
    assert requests[0].tags["cs_pipeline/playbooks"] == "red_save,yellow_adoption"


def test_a_run_takes_no_more_triggers_than_fit_into_its_configuration() -> None:
    many = [TriggerBatch(f"play{number}", tuple(range(1_000))) for number in range(12)]
    sizes = [sum(size for _, size in run) for run in batches_of(playbook_requests(many, ""))]
    assert (sum(sizes), max(sizes)) == (12_000, TRIGGERS_IN_A_RUN)


def test_the_same_cause_has_the_same_key_and_another_attempt_another() -> None:
    batches = [TriggerBatch("red_save", (1, 2)), TriggerBatch("yellow_adoption", (1,))]
    (first,), (again,) = playbook_requests(batches, ""), playbook_requests(batches, "a reason")
    (later,) = playbook_requests([batches[0], TriggerBatch("yellow_adoption", (1,), attempt=2)], "")
    assert first.run_key == again.run_key != later.run_key


def test_nothing_to_decide_is_no_run() -> None:
    assert playbook_requests([], "") == []


def test_a_tick_offers_the_triggers_of_all_kinds_in_one_run_and_the_play_that_goes_first_gets_them_first(
    company: Company, settings: Settings, clock: Clock
) -> None:
    account = company.account("a0", severity=3)
    company.fall(account, to_severity=3)
    company.trigger("segment_entry", account, segment="cancellation_requested")
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with dg.build_sensor_context(resources=resources) as context:
        ticked = playbooks_sensor(context)
    assert isinstance(ticked, dg.SensorResult)
    (plays,) = batches_of(list(ticked.run_requests or []))
    names = [name for name, _ in plays]
    assert names.index("save_cancellation") < names.index("red_save") < names.index("yellow_adoption")
