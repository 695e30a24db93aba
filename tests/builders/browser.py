"""Serve the site on a port of its own, and open it in the Chromium that this machine has."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from cs_pipeline.clock import Clock
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from tests.builders.site import HEADER, Sample

NAMES = ("chromium", "chromium-browser", "google-chrome")
STARTS_WITHIN = 20.0  # seconds


@contextmanager
def served(sample: Sample, **changes: Any) -> Iterator[str]:
    """The address of the site over a sample's database; who asks is whom the header of the tests names.

    `changes`: settings that differ.
    """
    settings = sample.settings.model_copy(update={"site_user_header": HEADER, **changes})
    warehouse = PooledWarehouse(sample.warehouse.url)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = site_app(settings, warehouse, Clock(settings.now))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            end = time.monotonic() + STARTS_WITHIN
            while not server.started and thread.is_alive() and time.monotonic() < end:
                time.sleep(0.02)
            assert server.started
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            warehouse.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where this machine has none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: `apt install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def complaints_of(page: Page) -> list[str]:
    """What goes wrong in a page from now on: errors of scripts and of the console, dialogs, requests to elsewhere."""
    told: list[str] = []

    def refuse(dialog: Dialog) -> None:
        told.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("pageerror", lambda error: told.append(f"script: {error}"))
    page.on(
        "console", lambda message: told.append(f"{message.type}: {message.text}") if message.type in _LOUD else None
    )
    page.on("dialog", refuse)
    page.on("requestfailed", lambda request: told.append(f"failed: {request.url}"))
    page.on(
        "request",
        lambda request: None if urlsplit(request.url).hostname == "127.0.0.1" else told.append(f"sent: {request.url}"),
    )
    return told


_LOUD = ("error", "warning")
