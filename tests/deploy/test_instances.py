"""Each file of an instance is one that Dagster takes, with the launcher that it names."""

import shutil
from pathlib import Path

import pytest
import yaml

# What Dagster checks a dagster.yaml with has no public name.
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.ref import InstanceRef
from dagster._serdes.config_class import class_from_code_pointer
from pydantic import SecretStr

from cs_pipeline.cli.services import prepare_dagster_home
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.executors import executor_of_slices
from cs_pipeline.orchestration.run_owner import owned_executor
from cs_pipeline.settings import Settings, SlicesOn
from tests.conftest import ROOT

BROKER = SecretStr("redis://:secret@127.0.0.1:1/0")
INSTANCES = {
    "dagster.yaml": "PipelineRunLauncher",
    "deploy/dagster.celery.yaml": "CeleryLauncher",
    "deploy/dagster.k8s.yaml": "K8sRunLauncher",
}


@pytest.mark.parametrize(("file", "launcher"), INSTANCES.items())
def test_dagster_takes_the_file_and_the_launcher_its_configuration(file: str, launcher: str, tmp_path: Path) -> None:
    shutil.copyfile(ROOT / file, tmp_path / "dagster.yaml")
    named = InstanceRef.from_dir(str(tmp_path)).run_launcher_data  # which checks everything but what launchers take
    assert named
    assert named.class_name == launcher
    taken = class_from_code_pointer(named.module_name, named.class_name).config_type()  # pyright: ignore[reportAttributeAccessIssue]
    checked = process_config(resolve_to_config_type(taken), yaml.safe_load(named.config_yaml) or {})
    assert checked.success, [error.message for error in checked.errors or ()]


def test_where_a_broker_is_set_the_instance_is_that_of_celery(tmp_path: Path) -> None:
    prepare_dagster_home(Settings(home=tmp_path))
    assert (tmp_path / "dagster" / "dagster.yaml").read_text() == (ROOT / "dagster.yaml").read_text()
    prepare_dagster_home(Settings(home=tmp_path, celery_broker=BROKER))
    assert (tmp_path / "dagster" / "dagster.yaml").read_text() == (ROOT / "deploy/dagster.celery.yaml").read_text()


@pytest.mark.parametrize(
    ("where", "name"), [("processes", "multiprocess"), ("celery", "celery"), ("kubernetes", "k8s")]
)
def test_slices_are_spread_by_dagsters_own_executors(where: SlicesOn, name: str) -> None:
    sliced = Settings(score_slices=4, slices_on=where, celery_broker=BROKER)
    executor = executor_of_slices(sliced)
    assert executor.name == name
    assert "secret" not in repr(vars(executor.config_schema)), "the UI may show it"
    assert executor_of_slices(Settings(slices_on=where)) is owned_executor, "without slices a run is one process"


def test_slices_on_celery_need_a_broker() -> None:
    with pytest.raises(UserError, match="CS_PIPELINE_CELERY_BROKER is not set"):
        executor_of_slices(Settings(score_slices=4, slices_on="celery"))
