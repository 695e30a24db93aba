"""Every file of this folder is read as the pipeline reads it: models, plays with their templates, rules, dbt models."""

import subprocess

import pytest


@pytest.mark.parametrize("command", ["doctor", "play list"])
def test_the_pipeline_takes_what_is_here(command: str) -> None:
    done = subprocess.run(["cs-pipeline", *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
