"""Write the messages of a batch, each when it is wanted; what cannot be written fails with the reason."""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

from cs_pipeline.channels.message import Message
from cs_pipeline.errors import UserError
from cs_pipeline.plays.delivery.channel_calls import ChannelCalls
from cs_pipeline.plays.delivery.eligibility import Job
from cs_pipeline.plays.delivery.portions import Written
from cs_pipeline.plays.outbox import suppress
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.playbooks.schema import Playbook, Step


class Renderer(Protocol):
    """Writes the message of a step. Raises UserError when it cannot."""

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: PlannedAction) -> Message:
        """The message as its recipient will see it."""
        ...


def write(calls: ChannelCalls, renderer: Renderer, jobs: Sequence[Job]) -> Generator[Written]:
    """Each job that can be written, with its message; when closed, the others are failed and told in the summary."""
    failed: dict[int, str] = {}
    try:
        for job in jobs:
            try:
                yield job.action, renderer.render(job.playbook, job.step, job.facts, job.action)
            except UserError as error:
                failed[job.action.action_id] = "not_rendered"
                calls.summary.problems.append(f"{job.action.playbook}, step {job.action.step}: {error}")
    finally:
        suppress.drop(calls.session, "failed", failed)
        calls.summary.failed.update(failed.values())
        calls.session.commit()
