"""Examine the processes that `up` starts, whether the code location loads, and whether due actions stand still."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cs_pipeline.cli.code_location import why_not_loaded
from cs_pipeline.cli.doctor.finding import Finding
from cs_pipeline.cli.processes import Processes
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def examine_processes(settings: Settings) -> Iterator[Finding]:
    """Whether each process runs, and the code location loads."""
    processes = Processes(settings.home)
    for name in ("code-server", "webserver", "daemon", "watchdog"):
        pid = processes.pid(name)
        words = f"running, pid {pid}" if pid else "not running: `cs-pipeline up` starts it"
        yield Finding(name if name == "watchdog" else f"Dagster {name}", "ok" if pid else "note", words)
    if processes.pid("webserver"):
        yield _code_location(settings)


def examine_due_actions(warehouse: Warehouse) -> Finding:
    """Whether due actions wait and nobody takes them."""
    from cs_pipeline.cli.watchdog import look

    found = look(warehouse, datetime.now(UTC))
    if found is None or not found.actions:
        return Finding("due actions", "ok", "none waits in vain")
    return Finding("due actions", "wrong", f"{found.subject}. {found.words}")


def _code_location(settings: Settings) -> Finding:
    try:
        why_not = why_not_loaded(settings)
    except OSError as error:
        return Finding("code location", "wrong", f"the Dagster UI at {settings.ui_url} does not answer: {error}")
    if why_not:
        mend = "Mend that, then `cs-pipeline down` and `up`, or Reload in the UI"
        return Finding("code location", "wrong", f"does not load: {why_not}. {mend}")
    return Finding("code location", "ok", "loaded")
