"""Locate the dbt project of this code and the models that a team adds to it, and read properties files.

What a file says belongs to who reads it.
"""

from pathlib import Path
from typing import Any

import yaml

from cs_pipeline.project_folder import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
MODELS_OF_TEAM = "dbt_models"
"""Folder of a team's own models, in its folder of configuration; those below `alerts` in it are alert rules."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast, where PyYAML was built with it


def models_of_team(config: Path | None) -> Path | None:
    """The folder of the team's own models, where it has one."""
    folder = None if config is None else config / MODELS_OF_TEAM
    return folder if folder is not None and folder.is_dir() else None


def read_properties(path: Path) -> Any:
    """The content of a properties file as plain values. Raises OSError, UnicodeDecodeError or yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
