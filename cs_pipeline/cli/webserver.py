"""Serve the Dagster UI behind `AllowedHosts`: `python -m cs_pipeline.cli.webserver` and dagster-webserver's arguments.

dagster-webserver answers to any host. It offers no place for a middleware, so its command is run with the function that
makes its application wrapped; everything else is its own.
"""

import sys
from typing import Any

import dagster_webserver.cli as dagster_ui
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.types import ASGIApp

from cs_pipeline.orchestration.code_server_client import ask_less_often
from cs_pipeline.orchestration.json_logs import arguments_for_logs
from cs_pipeline.settings import load_settings
from cs_pipeline.site.allowed_hosts import AllowedHosts, hosts_of


def guarded_app(*arguments: Any, **named: Any) -> ASGIApp:
    """dagster-webserver's application, asked by allowed hosts only."""
    return AllowedHosts(create_app_from_workspace_process_context(*arguments, **named), hosts_of(load_settings()))


def guard() -> None:
    """Let dagster-webserver's command make that application."""
    name = create_app_from_workspace_process_context.__name__
    if not hasattr(dagster_ui, name):
        raise RuntimeError(f"dagster-webserver makes its application otherwise than by {name}: the UI is not guarded")
    setattr(dagster_ui, name, guarded_app)


def main() -> None:
    """dagster-webserver's own command, with that application."""
    guard()
    ask_less_often()
    sys.argv += arguments_for_logs(load_settings())
    dagster_ui.main()


if __name__ == "__main__":
    main()
