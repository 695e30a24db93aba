"""The files of deploy/ agree with the code, with the locks and with one another."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from cs_pipeline.cli.services import services_to_keep
from cs_pipeline.orchestration.celery_settings import LONGEST_RUN
from cs_pipeline.settings import Settings
from tests import settings_pages
from tests.conftest import ROOT
from tests.deploy.compose import services

DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))


def pins(lock: Path) -> dict[str, str]:
    """Version by package, with its marker; each has a hash."""
    entries = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.M))
    assert all("--hash=sha256:" in entry for entry in entries)
    found = (re.match(r"([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", entry) for entry in entries)
    return {each[1]: each[2] for each in found if each}


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_image_has_the_packages_of_the_lock_without_server_and_tools() -> None:
    ours, whole = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements.lock")
    assert {name: version for name, version in ours.items() if whole.get(name, version) != version} == {}
    needed = {re.split(r"[<>=\[;]", each)[0].strip() for each in PROJECT["dependencies"]}
    assert needed <= set(ours)
    extras = PROJECT["optional-dependencies"]
    names = {name: {re.split(r"[<>=\[;]", each)[0].strip() for each in extras[name]} for name in extras}
    assert names["k8s"] <= set(ours)
    assert "dagster-celery" in ours
    for library in ("dagster-k8s", "dagster-celery"):
        assert ours[library] == ours["dagster-postgres"], "they are made for each other"
    needed_by_ours = {"cryptography", "jsonschema", "psutil", "sqlglot"}
    assert (names["dev"] | names["embedded"]) & set(ours) == needed_by_ours, "libraries of ours need these"


@pytest.mark.parametrize(("file", "made"), [(settings_pages.PAGE, "page"), (settings_pages.EXAMPLE, "example")])
def test_pages_of_settings_are_those_of_the_code(file: Path, made: str) -> None:
    text = getattr(settings_pages, made)()
    assert file.read_text(encoding="utf-8") == text, "`python -m tests.settings_pages` writes them anew"


def test_compose_asks_for_no_variable_that_the_example_does_not_name() -> None:
    named = set(re.findall(r"^#([A-Z_]+)=", settings_pages.EXAMPLE.read_text(encoding="utf-8"), re.M))
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")))
    assert asked <= named
    for service in services().values():
        assert {name for name in service.get("environment", {}) if name.startswith("CS_PIPELINE")} <= named


def test_the_dockerfile_copies_what_there_is_and_what_is_sent_to_the_builder() -> None:
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    copied = [source for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for source in line.split()[:-1]]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists() or source not in sent] == []
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M)[-1] == "1000:1000"
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.M)) == 2
    given = dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(re.findall(r"^ENV (.+)$", DOCKERFILE, re.M))))
    ours = services()["daemon"]["environment"]
    assert {name: given[name] for name in given if name in ours} == {
        name: value for name, value in ours.items() if name != "CS_PIPELINE_DATABASE_URL"
    }


def test_versions_that_files_name_are_those_of_the_project() -> None:
    version, dagster = PROJECT["version"], pins(ROOT / "requirements.lock")["dagster"]
    helm = (DEPLOY / "helm-values.yaml").read_text(encoding="utf-8")
    assert f"--version {dagster} " in helm
    assert f"tag: {version}," in helm
    assert services()["site"]["image"].endswith(f":-cs-pipeline:{version}}}")
    assert f"cs-pipeline:{version} ." in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_runs_elsewhere_are_bounded_as_on_one_machine_but_waited_for_longer() -> None:
    here, there = read("dagster.yaml"), read("deploy/dagster.k8s.yaml")
    for other in (there, read("deploy/dagster.celery.yaml")):
        assert {name for name in here if here[name] != other.get(name)} == {"run_launcher", "run_monitoring"}
        assert other["run_monitoring"] == here["run_monitoring"] | {"start_timeout_seconds": 600}
    assert here["run_monitoring"]["max_runtime_seconds"] == LONGEST_RUN, "a message comes again later"
    job = there["run_launcher"]["config"]["run_k8s_config"]["job_spec_config"]
    assert job["active_deadline_seconds"] > LONGEST_RUN, "run monitoring says it in words"

    chart = read("deploy/helm-values.yaml")
    daemon = chart["dagsterDaemon"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert snake(queue["maxConcurrentRuns"]) == here["concurrency"]["runs"]["max_concurrent_runs"]
    (limit,), (ours,) = queue["tagConcurrencyLimits"], here["concurrency"]["runs"]["tag_concurrency_limits"]
    assert limit == ours
    assert snake(daemon["runMonitoring"]) == there["run_monitoring"]
    assert snake(daemon["runRetries"]) == there["run_retries"]
    kept = snake(chart["retention"])
    assert kept["schedule"] == there["retention"]["schedule"]
    assert there["retention"]["sensor"]["purge_after_days"].items() <= kept["sensor"]["purge_after_days"].items()
    launcher, theirs = snake(chart["runLauncher"]["config"]["k8sRunLauncher"]), there["run_launcher"]["config"]
    assert launcher["run_k8s_config"]["job_spec_config"] == theirs["run_k8s_config"]["job_spec_config"]
    assert launcher["run_k8s_config"]["pod_spec_config"] == theirs["run_k8s_config"]["pod_spec_config"]
    assert launcher["resources"] == theirs["run_k8s_config"]["container_config"]["resources"]
    (location,) = chart["dagsterWebserver"]["workspace"]["servers"]
    (server,) = read("deploy/workspace.grpc.yaml")["load_from"]
    (plain,) = read("workspace.yaml")["load_from"]
    assert location["name"] == server["grpc_server"]["location_name"] == plain["python_module"]["location_name"]


def test_manifests_and_unit_start_what_compose_starts() -> None:
    texts = [(DEPLOY / f"{name}.k8s.yaml").read_text(encoding="utf-8") for name in ("site", "slack")]
    manifests = [each for text in texts for each in yaml.safe_load_all(text)]
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in manifests if each["kind"] != "Service"
    }
    commands = {
        container["name"]: container["args"]
        for pod in pods.values()
        for container in (*pod.get("initContainers", []), *pod["containers"])
    }
    assert commands.pop("wait-for-the-migration")[:3] == ["cs-pipeline", "warehouse", "ready"]
    assert commands == {name: services()[name]["command"] for name in ("migrate", "site", "watchdog", "slack-listener")}
    image = read("deploy/helm-values.yaml")["dagsterDaemon"]["image"]
    assert set(re.findall(r"image: (\S+)", "".join(texts))) == {f"{image['repository']}:{image['tag']}"}
    (listener,) = pods["cs-pipeline-slack-listener"]["containers"]
    compose = services()["slack-listener"]
    assert ["CMD", *listener["readinessProbe"]["exec"]["command"]] == compose["healthcheck"]["test"]
    assert compose["profiles"] == ["slack"], "who has no token starts none"
    tokens = {"slack_app_token": SecretStr("xapp-1"), "slack_bot_token": SecretStr("xoxb-1")}
    kept = services_to_keep(Settings().model_copy(update=tokens))
    assert ["python", *kept[-1].arguments] == compose["command"], "`cs-pipeline up`, and so the unit, starts it too"
    assert f"cs-pipeline-migrate-{image['tag']}" in pods
    unit = (DEPLOY / "cs-pipeline.service").read_text(encoding="utf-8")
    assert re.findall(r"^Exec\w+=/opt/cs_pipeline/venv/bin/(.+)$", unit, re.M) == ["cs-pipeline up", "cs-pipeline down"]


@pytest.mark.parametrize("page", ["docs/deploy.md", "docs/package.md", "SECURITY.md", "CHANGELOG.md", "UPGRADING.md"])
def test_links_of_the_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}, link
    for name in re.findall(r"`(deploy/[^`\s]+)`", text):
        assert (ROOT / name).exists() or name == "deploy/.env", name


def snake(node: Any) -> Any:
    """The chart's names as Dagster's."""
    if isinstance(node, dict):
        return {
            re.sub(r"(?<=[a-z0-9])([A-Z])", lambda big: f"_{big[1].lower()}", name): snake(each)
            for name, each in node.items()
        }
    return node
