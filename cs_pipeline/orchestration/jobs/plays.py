"""Jobs that enrol accounts and take due actions. Sensors and the daily schedule launch them."""

import dagster as dg

from cs_pipeline.orchestration.keys import DELIVERY_JOB, MAX_RETRIES_TAG, SERIAL_TAG
from cs_pipeline.orchestration.ops.deliveries import DELIVERING_OPS, tell_operations
from cs_pipeline.orchestration.ops.enrolment import end_plays, enrol_accounts, greet_new_accounts
from cs_pipeline.orchestration.ops.suppressions import sync_suppressions
from cs_pipeline.orchestration.run_owner import at_most, owned_executor


@dg.job(
    executor_def=owned_executor,
    tags={MAX_RETRIES_TAG: "3", **at_most(hours=3)},
    description=(
        "Decides on batches of triggers, one a playbook, plans the steps of every account that enters, and takes "
        "those that are due at once. Launched by the sensors; safe to run again."
    ),
)
def run_playbooks() -> None:
    """Enrol, then e-mail, post and create tasks."""
    enrolled = enrol_accounts()
    for deliver in DELIVERING_OPS:
        deliver(enrolled)


@dg.job(
    executor_def=owned_executor,
    tags={SERIAL_TAG: DELIVERY_JOB, MAX_RETRIES_TAG: "3", **at_most(hours=3)},
    description="Takes the actions that are due: e-mails, Slack messages, CRM tasks. Launched by the sensor.",
)
def deliver_due_actions() -> None:
    """E-mail, post and create tasks; then say what went wrong."""
    tell_operations([deliver() for deliver in DELIVERING_OPS])


@dg.job(
    executor_def=owned_executor,
    tags={SERIAL_TAG: DELIVERY_JOB, MAX_RETRIES_TAG: "3", **at_most(hours=3)},
    description="Once a day: greets new accounts, ends plays whose reason is gone, takes due actions.",
)
def daily_plays() -> None:
    """Greet, end plays, e-mail, post and create tasks; beside that, suppressions, whose failure holds nothing up."""
    sync_suppressions()
    ended = end_plays(greet_new_accounts())
    tell_operations([deliver(ended) for deliver in DELIVERING_OPS])
