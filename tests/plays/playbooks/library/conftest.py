"""Fixtures for tests of the shipped playbooks."""

from pathlib import Path

import pytest

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.samples import SampleAction, everything_known
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings
from tests.plays.playbooks.library.reading import Write


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(Settings(home=Path("unused"), company_name="Fernweh"))


@pytest.fixture
def write(renderer: Renderer) -> Write:
    """Writes a step for an account of which everything is known but for what the test says of it."""

    def write(playbook: Playbook, step: Step, **facts: object) -> Message:
        known = everything_known(playbook.trigger.kind) | facts
        return renderer.render(playbook, step, known, SampleAction(playbook.playbook, playbook.family))

    return write
