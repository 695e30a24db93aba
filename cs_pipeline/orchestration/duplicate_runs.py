"""Find the earlier run that makes a scheduled run of a week one too many: two daemons, or a lost run key, ask twice."""

import dagster as dg

from cs_pipeline.orchestration.keys import LIVE, ORIGIN_TAG, PARENT_RUN_TAG, PARTITION_TAG

AT_WORK_OR_DONE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
]


def scheduled_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Id of an earlier run of the same job, week and origin that is at work or has succeeded; empty when there is none.

    Empty as well for what is not the schedule's (a backfill, a materialization by hand), and for a run that somebody,
    or Dagster's retry, asked to be executed again: that is meant.
    """
    week = run.tags.get(PARTITION_TAG)
    if week is None or run.tags.get(ORIGIN_TAG) != LIVE or PARENT_RUN_TAG in run.tags:
        return ""
    own = instance.get_run_record_by_id(run.run_id)
    same = dg.RunsFilter(job_name=run.job_name, statuses=AT_WORK_OR_DONE, tags={PARTITION_TAG: week, ORIGIN_TAG: LIVE})
    earlier = [record for record in instance.get_run_records(same) if own and record.storage_id < own.storage_id]
    return earlier[-1].dagster_run.run_id if earlier else ""
