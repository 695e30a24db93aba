"""A Monday that was missed is made up for: its week is scored before the next one, and it contacts nobody by itself."""

from datetime import UTC, datetime

import dagster as dg

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.orchestration.duplicate_runs import scheduled_before
from cs_pipeline.orchestration.keys import LIVE, ORIGIN_TAG, RANGE_END_TAG, RANGE_START_TAG, WEEKLY_JOB
from cs_pipeline.orchestration.schedules import weekly_requests
from tests.builders.sample_history import COMPANY, LAST_WEEK, SCORED_UNTIL

MONDAY = datetime.combine(COMPANY.ends_on, datetime.min.time(), UTC)


def test_missed_weeks_come_first_and_are_a_backfill() -> None:
    missed = [(SCORED_UNTIL - WEEK, SCORED_UNTIL)]
    requests = weekly_requests(MONDAY, COMPANY.first_week, missed)
    assert isinstance(requests, list)
    before, newest = requests
    assert newest.partition_key == f"{LAST_WEEK}"
    assert newest.tags[ORIGIN_TAG] == LIVE
    assert before.partition_key is None
    assert ORIGIN_TAG not in before.tags
    assert before.tags[RANGE_START_TAG] == f"{SCORED_UNTIL - WEEK}"
    assert before.tags[RANGE_END_TAG] == f"{SCORED_UNTIL}"
    assert int(before.tags["dagster/priority"]) > int(newest.tags.get("dagster/priority", "0"))


def test_weeks_before_the_first_are_not_asked_for() -> None:
    before = COMPANY.first_week - WEEK
    requests = weekly_requests(MONDAY, COMPANY.first_week, [(before, before)])
    assert isinstance(requests, list)
    assert [request.partition_key for request in requests] == [f"{LAST_WEEK}"]


@dg.job(name=WEEKLY_JOB)
def weekly() -> None:
    """Stands for the weekly job."""


WEEK_TAGS = {"dagster/partition": f"{LAST_WEEK}", ORIGIN_TAG: LIVE}


def new(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    return instance.create_run_for_job(weekly, status=status, tags=WEEK_TAGS | tags)


def test_the_second_scheduled_run_of_a_week_is_one_too_many_and_the_first_is_not() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first, second = new(instance, dg.DagsterRunStatus.STARTED), new(instance, dg.DagsterRunStatus.STARTED)
        assert scheduled_before(instance, first) == ""
        assert scheduled_before(instance, second) == first.run_id
        instance.report_run_failed(first)
        assert scheduled_before(instance, second) == "", "nobody else does it"


def test_a_run_that_is_asked_for_again_on_purpose_is_done() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = new(instance, dg.DagsterRunStatus.SUCCESS)
        again = new(instance, dg.DagsterRunStatus.STARTED, **{"dagster/parent_run_id": first.run_id})
        by_hand = instance.create_run_for_job(weekly, tags={"dagster/partition": f"{LAST_WEEK}"})
        assert scheduled_before(instance, again) == ""
        assert scheduled_before(instance, by_hand) == ""
