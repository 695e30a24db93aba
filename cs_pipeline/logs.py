"""Write what processes log to stderr: lines for a person, or a JSON object an event for a collector.

The names in an object are those that Dagster's own `--log-format json` uses, so that one parser reads all processes.
What people are told on a terminal is no log; that is `cli.console`.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]
TEXT = "%(asctime)s %(levelname)s %(message)s"
DAGSTERS = "dagster_meta"
"""The attribute of a record in which Dagster says of which run it is."""

_run: dict[str, str] = {}


def set_up_logs(log_format: LogFormat) -> None:
    """Let every logger of this process write in that format; libraries only their warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for family in ("cs_pipeline", "dagster"):
        logging.getLogger(family).setLevel(logging.INFO)


def is_of_run(run_id: str, job: str) -> None:
    """From now on what this process logs belongs to a run: its worker executes nothing else."""
    _run.update(run_id=run_id, job=job)


class JsonLines(logging.Formatter):
    """A line an event: timestamp, level, logger, event; run_id, job and step where it belongs to a run; exception.

    It takes, and leaves aside, what Dagster makes its own formatter of.
    """

    foreign_pre_chain = processors = ()

    def __init__(self, **_: object) -> None:
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """The object as one line."""
        meta = getattr(record, DAGSTERS, None) or {}
        said: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": meta.get("orig_message") or record.getMessage(),
            "run_id": meta.get("run_id") or _run.get("run_id"),
            "job": meta.get("job_name") or _run.get("job"),
            "step": meta.get("step_key"),
            "exception": self.formatException(record.exc_info) if record.exc_info else _failure(meta),
        }
        return json.dumps({name: value for name, value in said.items() if value is not None}, default=str)


def _failure(meta: Mapping[str, Any]) -> str | None:
    """Why a step or a run failed, which Dagster keeps beside the words of the event."""
    error = getattr(getattr(meta.get("dagster_event"), "event_specific_data", None), "error", None)
    return str(error.to_string()) if error else None
