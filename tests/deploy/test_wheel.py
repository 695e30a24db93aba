"""The wheel: what is in it, what it says of itself, and that it runs where there is no checkout."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from tests.conftest import ROOT

BESIDE = ("dbt_project/", "docs/", "examples/")
SOURCES = (*BESIDE, "cs_pipeline", "deploy", "pyproject.toml", "setup.py", "README.md", "dagster.yaml")
TRY = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import cs_pipeline.definitions
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.connectors.catalogue import shipped_connectors
from cs_pipeline.demo.examples import find_example
from cs_pipeline.health.library import score_models
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.project_folder import PROJECT
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.dbt_folder import dbt_folder
print(json.dumps({
    "project": str(PROJECT), "beside": sorted(path.name for path in PROJECT.iterdir()),
    "rules": len(load_rules(None)), "connectors": len(shipped_connectors()), "models": len(score_models()),
    "playbooks": len(load_playbooks(None)), "example": find_example("oulad").weeks,
    "dbt": str(dbt_folder(Settings())),
}))
"""


def listed() -> list[str]:
    """Files of the checkout, those not yet added to git among them."""
    names = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *SOURCES]
    found = subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in found if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Built from a copy of the checkout, as `pip wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in listed():
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('..'))"
    command = [sys.executable, "-c", build]
    made = subprocess.run(command, cwd=folder / "source", capture_output=True, text=True, check=True)
    with zipfile.ZipFile(folder / made.stdout.splitlines()[-1]) as opened:
        yield opened


@pytest.mark.slow(seconds=4)
def test_the_wheel_holds_every_file_of_the_package_and_what_stands_beside_it(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if not name.startswith("cs_pipeline-")}
    names = listed()
    of_package = {name for name in names if name.startswith("cs_pipeline/") and not Path(name).name.startswith(".")}
    beside = {
        f"cs_pipeline/_beside/{name}"
        for name in names
        if name.startswith(BESIDE) and not name.startswith("docs/images/")
    }
    parts = {f"cs_pipeline/_beside/{name}" for name in ("dagster.yaml", "workspace.grpc.yaml", "dagster.celery.yaml")}
    assert inside == of_package | beside | parts


@pytest.mark.slow(seconds=1)
def test_the_wheel_says_on_an_index_what_it_is_without_links_that_lead_nowhere(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    said = Parser().parsestr(wheel.read(name).decode())
    assert {"Name", "Version", "Summary", "Keywords", "Requires-Python"} <= set(said.keys())
    assert said["Description-Content-Type"] == "text/markdown"
    assert "embedded" in said.get_all("Provides-Extra", [])
    text = said.get_payload()
    assert isinstance(text, str)
    assert "## Two commands" in text
    assert re.findall(r"<img|!\[|\]\((?!https?:)", text) == []


@pytest.mark.slow(seconds=9)
def test_what_is_in_the_wheel_runs_without_a_checkout_and_where_it_may_not_be_written(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    installed, here = tmp_path / "installed", tmp_path / "here"
    wheel.extractall(installed)
    here.mkdir()
    for path in [installed, *installed.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    tmp_path.chmod(0o755)
    environment = {"CS_PIPELINE_HOME": str(here / "home"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-B", "-c", TRY, str(installed)]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    project = installed / "cs_pipeline" / "_beside"
    assert said["project"] == str(project)
    assert {"dagster.yaml", "dbt_project", "docs", "examples"} <= set(said["beside"])
    assert said["rules"] > 30
    assert min(said["connectors"], said["models"], said["playbooks"], said["example"]) > 3
    of_root = str(project / "dbt_project")  # who may write anywhere
    assert said["dbt"] == (of_root if os.geteuid() == 0 else str(here / "home" / "dbt_project"))
