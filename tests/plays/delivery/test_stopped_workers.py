"""A lease is a fence: a worker that is stopped anywhere for longer than its lease, and goes on, sends nothing twice."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from cs_pipeline.plays.enrolment.enrol import enrol
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import states
from tests.channels.test_slack import PERSON, Workspace
from tests.fakes.provider import provider
from tests.plays.delivery.worker import live_settings

ROOT = Path(__file__).parents[3]
WORKERS = 90
NOTE = {"step": "note", "day": 0, "channel": "slack", "to": "owner", "template": "t", "intent": "inform"}


class AtOnePage(Workspace):
    """All of a conversation in one page, so that a look is one request."""

    def _page(self, found: list[dict], fields: dict) -> dict:
        return {"messages": found, "response_metadata": {"next_cursor": ""}}


def test_workers_stopped_at_every_part_of_a_delivery_for_longer_than_their_lease_send_nothing_twice(
    company: Company, tmp_path: Path
) -> None:
    accounts = [company.account(f"a{number}", severity=1, owner_email=PERSON.recipient) for number in range(WORKERS)]
    settings = live_settings(tmp_path, "http://unused").model_copy(update={"breaker_share": 1.0})
    play = save_play(steps=[NOTE], exit=[])
    assert enrol(company.warehouse, play, [company.fall(each) for each in accounts], settings, MONDAY).trip is None
    workspace = AtOnePage()
    with provider(workspace) as service:
        arguments = [company.warehouse.url, service.url, str(tmp_path), str(WORKERS)]
        command = [sys.executable, "-m", "tests.plays.delivery.stopped_workers", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    stopped, ended_by_the_kernel = map(int, done.stdout.split())
    posts = Counter(post["metadata"]["event_payload"]["action_key"] for post in workspace.posts)
    assert set(posts.values()) == {1}, "nothing twice"
    assert states(company) == {("sent", None): WORKERS}, "nothing lost"
    assert len(posts) == WORKERS
    assert ended_by_the_kernel > stopped / 4, "most are stopped between claim and record"
