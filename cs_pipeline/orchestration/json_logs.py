"""Let Dagster write its logs as JSON lines where the settings ask for it, with the run, job and step of each event.

`--log-format json` of Dagster's commands leaves the events of a run in colours, and an exception without its words. It
offers no place for another format, so two functions that it looks up by name are replaced; where a new version has them
no more, it is said at once.
"""

import importlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from cs_pipeline.logs import JsonLines, set_up_logs
from cs_pipeline.settings import Settings

DAGSTERS = ("dagster", "dagit", "dagster-webserver")
"""Loggers that Dagster's commands give handlers to."""
REPLACED = (
    ("dagster._utils.log", "get_structlog_json_formatter"),
    ("dagster._core.execution.context_creation_job", "default_system_loggers"),
)


def arguments_for_logs(settings: Settings) -> list[str]:
    """What a command of Dagster's is given besides, after this process was told to write JSON; nothing for text."""
    if settings.log_format == "text":
        return []
    write_json_logs()
    return ["--log-format", "json"]


def write_json_logs() -> None:
    """In this process: of our loggers, of Dagster's, and of the runs that it executes."""
    set_up_logs("json")
    for (module, name), instead in zip(REPLACED, (JsonLines, _loggers_of_runs), strict=True):
        found = importlib.import_module(module)
        if not hasattr(found, name):
            raise RuntimeError(f"{module} makes its logs otherwise than by {name}: they are no JSON")
        setattr(found, name, instead)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_not_written_elsewhere)


def _is_not_written_elsewhere(record: logging.LogRecord) -> bool:
    """Dagster's commands give handlers to loggers of their own, and let what these write go on to the root."""
    family = record.name.partition(".")[0]
    return family not in DAGSTERS or not logging.getLogger(family).handlers


def json_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """A logger of a run, whose events have the run, job and step in fields of their own."""
    logger = logging.Logger(context.logger_config["name"], context.logger_config["log_level"])
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    return logger


JSON_LINES = dg.LoggerDefinition(json_lines, dg.colored_console_logger.config_schema, "JSON lines on stderr.")


def _loggers_of_runs(instance: Any) -> Sequence[tuple[dg.LoggerDefinition, Mapping[str, object]]]:
    """As `default_system_loggers`: of a run whose configuration names no logger."""
    level = (instance and instance.python_log_level) or "INFO"
    return [(JSON_LINES, {"name": "dagster", "log_level": level})]
