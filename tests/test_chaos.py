"""Everything that delivers is killed in the middle of a burst, singly and together: nothing lost, nothing sent twice.

The product as `cs-pipeline up` starts it, with live delivery to providers on this machine. After the last kill nobody
touches anything any more.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg2
import pytest
import yaml
from pydantic import SecretStr

from cs_pipeline.cli.processes import Processes
from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import free_port
from cs_pipeline.warehouse.locate import embedded_server, locate
from tests.builders.company import Company, save_play
from tests.channels.test_slack import PERSON, Workspace
from tests.conftest import ROOT
from tests.fakes.provider import Answer, Provider, Request, provider
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(seconds=230)

ACCOUNTS = 40  # Slack takes a message a second, so the burst lasts
TO_GET_GOING = timedelta(minutes=4)
TO_SETTLE = timedelta(minutes=5)
BETWEEN_KILLS = 3.0  # seconds
OPERATIONS = "ops@example.com"

STEPS = [
    {"step": "post", "day": 0, "channel": "slack", "to": "owner", "template": "red_alert_owner", "intent": "inform"},
    {"step": "mail", "day": 0, "channel": "email", "to": "owner", "template": "check_in_automated", "intent": "inform"},
]


@dataclass
class Providers(Workspace):
    """SendGrid and Slack, which take everything."""

    posts: list[dict] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if "/mail/send" in request.path:
            self.mails += [each["custom_args"]["action_key"] for each in request.json["personalizations"]]
            return Answer(202, b"", {"X-Message-Id": f"m{len(self.mails)}"})
        if request.path.startswith("/v3/"):
            return Answer(200, [])
        return super().__call__(request)

    def _page(self, found: list[dict], fields: dict) -> dict:
        return {"messages": found, "response_metadata": {"next_cursor": ""}}

    @property
    def taken(self) -> Counter[str]:
        posted = [post["metadata"]["event_payload"]["action_key"] for post in self.posts]
        return Counter([*posted, *self.mails])


@dataclass
class Product:
    """What `cs-pipeline up` has started."""

    settings: Settings
    environment: dict[str, str]

    def run(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "cs_pipeline.cli", *arguments],
            env=self.environment,
            cwd=ROOT,
            check=True,
            timeout=300,
        )

    @property
    def warehouse(self) -> Warehouse:
        return locate(self.settings)

    def rows(self, sql: str) -> list[tuple]:
        """None can be asked while PostgreSQL is down."""
        try:
            with self.warehouse.session() as session, session.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        except (psycopg2.Error, UserError, OSError):
            return []

    def last_words(self) -> str:
        """What is so, for whoever reads a failure."""
        states = self.rows("select channel, status, reason, count(*) from cs.actions group by 1, 2, 3 order by 1, 2")
        runs = self.rows("select pipeline_name, status, create_timestamp::text from public.runs order by id")
        pauses = self.rows("select * from cs.channel_pauses")
        processes = Processes(self.settings.home)
        logs = [processes.log(name).read_text()[-2_000:] for name in ("daemon", "code-server", "watchdog")]
        return "\n".join([*map(str, (states, runs, pauses, self.rows("select now()"))), *logs])

    def daemon(self) -> list[int]:
        pid = Processes(self.settings.home).pid("daemon")
        return [pid] if pid else []

    def workers(self) -> list[int]:
        return [pid for (pid,) in self.rows("select pid from cs.living_processes where task like 'run %'")]

    def loaded_code(self) -> list[int]:
        """The process behind the code server, in which the code is loaded."""
        mine = str(self.settings.home)
        return [each.pid for each in psutil.process_iter() if has_loaded_code(each) and mine in home_of(each)]

    def code_server(self) -> list[int]:
        pid = Processes(self.settings.home).pid("code-server")
        return [pid] if pid else []

    def postmaster(self) -> list[int]:
        pid_file = embedded_server(self.settings).data / "postmaster.pid"
        return [int(pid_file.read_text().split()[0])] if pid_file.exists() else []


def has_loaded_code(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "grpc" in process.cmdline() and "dagster" in " ".join(process.cmdline())
    return False


def home_of(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return process.environ().get("CS_PIPELINE_HOME", "")
    return ""


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def providers() -> Iterator[tuple[Providers, Provider]]:
    state = Providers()
    with provider(state) as listening:
        yield state, listening


@pytest.fixture
def product(providers: tuple[Providers, Provider]) -> Iterator[Product]:
    """Started, with delivery to the providers; in a folder that PostgreSQL may enter, as whom it runs for root."""
    _, listening = providers
    with tempfile.TemporaryDirectory(prefix="cs_pipeline_chaos_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        play = save_play(playbook="burst", title="Burst", family="burst", steps=STEPS, exit=[])
        (folder / "config" / "playbooks").mkdir(parents=True)
        definition = play.model_dump(mode="json", exclude_defaults=True)
        (folder / "config" / "playbooks" / "burst.yaml").write_text(yaml.safe_dump(definition))
        settings = Settings(
            home=folder / "home",
            config=folder / "config",
            delivery="live",
            sendgrid_api_key=SecretStr("SG.secret"),
            sendgrid_host=listening.url,
            slack_bot_token=SecretStr("xoxb-secret"),
            slack_base_url=f"{listening.url}/api/",
            ops_channel="#customer-success",
            ops_email=OPERATIONS,
            ui_url=f"http://127.0.0.1:{free_port()}",
            site_url=f"http://127.0.0.1:{free_port()}",
            breaker_share=1.0,
        )
        product = Product(settings, os.environ | variables(settings))
        product.run("up")
        try:
            yield product
        finally:
            product.run("down")


def variables(settings: Settings) -> dict[str, str]:
    named = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        f"CS_PIPELINE_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in named.items()
    }


def test_everything_is_killed_in_a_burst_and_nothing_is_lost_or_sent_twice(
    product: Product, providers: tuple[Providers, Provider]
) -> None:
    state, _ = providers
    company = Company(product.warehouse)
    now = datetime.now(UTC)
    accounts = [
        company.account(f"a{number}", severity=1, owner_email=PERSON.recipient, created_at=now - timedelta(days=90))
        for number in range(ACCOUNTS)
    ]
    burst = load_playbooks(product.settings.config)["burst"]
    triggers = [company.fall(account, occurred_at=now) for account in accounts]
    assert enrol(product.warehouse, burst, triggers, product.settings, now).enrolled == ACCOUNTS

    wait_until("a delivery under way", TO_GET_GOING, lambda: state.taken.total() > 0)
    for part in (product.workers, product.loaded_code, product.daemon, product.postmaster):
        kill(*part())
        time.sleep(BETWEEN_KILLS)
    before = state.taken.total()
    wait_until("a delivery under way again", TO_GET_GOING, lambda: state.taken.total() > before)
    together = (product.workers, product.loaded_code, product.code_server, product.daemon, product.postmaster)
    kill(*(pid for part in together for pid in part()))

    unsettled = """
        select count(*) from cs.actions
        where playbook = 'burst' and not (status = 'sent' or (status = 'uncertain' and told_at is not null))
    """
    wait_until("everything sent or told", TO_SETTLE, lambda: product.rows(unsettled) == [(0,)], product.last_words)
    taken = state.taken
    assert set(taken.values()) == {1}, "nothing twice"
    ended = dict(product.rows("select action_key, status from cs.actions where playbook = 'burst'"))
    assert len(ended) == 2 * ACCOUNTS
    assert {key for key, status in ended.items() if status == "sent"} <= set(taken), "what counts as sent was taken"
