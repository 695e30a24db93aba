"""Locate the dbt project of this code, and read its properties files.

The project stands beside the package: a checkout holds both. What a file says belongs to who reads it.
"""

from pathlib import Path
from typing import Any

import yaml

DBT_PROJECT = Path(__file__).parents[1] / "dbt_project"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast, where PyYAML was built with it


def read_properties(path: Path) -> Any:
    """The content of a properties file as plain values. Raises OSError, UnicodeDecodeError or yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
