"""Logs as JSON: one object an event, with the run it belongs to, from every process."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cs_pipeline.logs import JsonLines
from tests.conftest import ROOT

JOB = """
import logging
import dagster as dg
from dagster._utils.log import configure_loggers
from cs_pipeline.orchestration.json_logs import arguments_for_logs
from cs_pipeline.orchestration.run_owner import is_of_run
from cs_pipeline.settings import load_settings

@dg.op
def fail(context):
    context.log.warning("a word from the run")
    raise ValueError("of the op")

@dg.job
def work():
    fail()

assert arguments_for_logs(load_settings()) == ["--log-format", "json"]
logging.getLogger("dagster.daemon").info("before a handler of its own")
configure_loggers(formatter="json")  # as Dagster's commands do
logging.getLogger("dagster.daemon").info("from a command of Dagster's")
result = work.execute_in_process(raise_on_error=False)
is_of_run(result.run_id, "work")
logging.getLogger("cs_pipeline.alerts").info("from ours, %s", "in a run")
print(result.run_id)
"""


def lines_of(*arguments: str, home: Path) -> tuple[list[dict[str, str]], subprocess.CompletedProcess[str]]:
    """What Python logs with those arguments, every line an object."""
    environment = os.environ | {
        "CS_PIPELINE_LOG_FORMAT": "json",
        "CS_PIPELINE_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [*done.stderr.splitlines(), *(line for line in done.stdout.splitlines() if line.startswith("{"))]
    return [json.loads(line) for line in said], done


@pytest.mark.slow(seconds=6)
def test_events_of_a_run_say_of_which_run_job_and_step_they_are(tmp_path: Path) -> None:
    lines, done = lines_of("-c", JOB, home=tmp_path)
    run_id = done.stdout.splitlines()[-1]
    by_event = {line["event"]: line for line in lines}
    word = by_event["a word from the run"]
    assert (word["run_id"], word["job"], word["step"], word["level"]) == (run_id, "work", "fail", "warning")
    ours = by_event["from ours, in a run"]
    assert (ours["run_id"], ours["job"], ours["logger"]) == (run_id, "work", "cs_pipeline.alerts")
    written = [line["event"] for line in lines if line["logger"] == "dagster.daemon"]
    assert written == ["before a handler of its own", "from a command of Dagster's"], "each once"
    assert "run_id" not in by_event["from a command of Dagster's"]
    assert any("ValueError: of the op" in line.get("exception", "") for line in lines if line.get("run_id") == run_id)


def test_a_command_that_fails_says_why_in_one_object(tmp_path: Path) -> None:
    lines, done = lines_of("-m", "cs_pipeline.cli", "warehouse", "ready", home=tmp_path)
    assert done.returncode == 1
    (line,) = lines
    assert line["level"] == "error"
    assert "There is no embedded server in" in line["event"]


def test_an_exception_is_part_of_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cs_pipeline.logs._run", {})  # a run of another test may have been executed in this process
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed %d", (1,), sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    said = json.loads(text)
    assert said["event"] == "failed 1"
    assert said["exception"].endswith("ValueError: two\nlines")
    assert set(said) == {"timestamp", "level", "logger", "event", "exception"}
