"""Locate the dbt project of this code, and read its properties files.

What a file says belongs to who reads it.
"""

from pathlib import Path
from typing import Any

import yaml

from cs_pipeline.project_folder import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast, where PyYAML was built with it


def read_properties(path: Path) -> Any:
    """The content of a properties file as plain values. Raises OSError, UnicodeDecodeError or yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
