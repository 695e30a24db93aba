"""Listen to clicks in Slack until stopped: `python -m cs_pipeline.answers.slack_listener`; with `--is-listening` say by
the exit code whether the one of this host does.

Over Socket Mode: we connect to Slack, and no address of ours need be reachable. One process is enough; with two, Slack
hands each click to one of them. A connection that ends is made again by the vendor's client.
"""

import logging
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient

from cs_pipeline.answers.slack_clicks import Clicks
from cs_pipeline.channels.http import BROKEN_EXCHANGE, TIMEOUT_SECONDS, silenced
from cs_pipeline.channels.slack_client import client_of
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.logs import set_up_logs
from cs_pipeline.plain_files import make_private
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.locate import locate

log = logging.getLogger(__name__)

RENEWED_EVERY, STALE_AFTER = 10.0, 45.0  # seconds; of the sign that we are connected
PAUSES = (1.0, 5.0, 15.0, 60.0)  # seconds between attempts to connect at the start


def listening(settings: Settings, warehouse: Warehouse, clock: Clock) -> SocketModeClient:
    """The vendor's client, not connected yet. Raises UserError that names a setting that is missing."""
    tokens = (settings.slack_app_token, settings.slack_bot_token)
    names = ("CS_PIPELINE_SLACK_APP_TOKEN", "CS_PIPELINE_SLACK_BOT_TOKEN")
    absent = [name for name, token in zip(names, tokens, strict=True) if not token or not token.get_secret_value()]
    if absent:
        raise UserError(f"Slack cannot be listened to: {' and '.join(absent)} is not set (docs/answers.md)")
    app, bot = (token or SecretStr("") for token in tokens)
    slack = client_of(bot, settings.slack_base_url, TIMEOUT_SECONDS)
    # What the vendor's client logs may hold messages whole; what matters of it is said by `Clicks`.
    client = SocketModeClient(
        app.get_secret_value(), web_client=slack, logger=silenced(f"{__name__}.vendor"), concurrency=4
    )
    client.socket_mode_request_listeners.append(Clicks(slack, warehouse, clock).take)
    return client


def connect(client: SocketModeClient, stopped: threading.Event) -> None:
    """Connect, as often as it takes. Raises UserError where Slack refuses the token."""
    for attempt in range(1_000_000):
        try:
            client.connect()
        except SlackApiError as error:
            code = str(error.response.get("error"))
            if code in ("invalid_auth", "not_authed", "token_revoked", "account_inactive", "not_allowed_token_type"):
                raise UserError(
                    f"Slack refuses CS_PIPELINE_SLACK_APP_TOKEN ({code}): it is an app-level token (xapp-…) with the "
                    "scope connections:write"
                ) from None
            log.warning("Slack does not let us listen yet: %s", code)
        except BROKEN_EXCHANGE as error:
            log.warning("Slack does not answer yet: %s", type(error).__name__)
        if client.is_connected():
            log.info("listening to clicks in Slack")
            return
        client.wss_uri = None
        if stopped.wait(PAUSES[min(attempt, len(PAUSES) - 1)]):
            return


def is_listening(settings: Settings) -> bool:
    """Whether the listener of this host was connected to Slack a moment ago."""
    try:
        return time.time() - _sign(settings).stat().st_mtime < STALE_AFTER
    except OSError:
        return False


def _sign(settings: Settings) -> Path:
    """The file that is renewed while we are connected; containers that share a home have one each."""
    return settings.home / "run" / f"slack-listener-{socket.gethostname()}"


def main() -> None:
    """Listen until told to end."""
    settings = load_settings()
    if sys.argv[1:] == ["--is-listening"]:
        sys.exit(0 if is_listening(settings) else "Nobody here listens to Slack")
    set_up_logs(settings.log_format)
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    try:
        client = listening(settings, Warehouse(locate(settings).url), Clock(settings.now))
        connect(client, stopped)
    except UserError as error:
        raise SystemExit(f"Error: {error}") from None
    sign = _sign(settings)
    make_private(sign.parent)
    while not stopped.is_set():
        if client.is_connected():
            sign.touch()
        stopped.wait(RENEWED_EVERY)
    sign.unlink(missing_ok=True)
    client.close()


if __name__ == "__main__":
    main()
