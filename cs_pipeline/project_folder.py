"""Say where `dbt_project` and `dagster.yaml` are: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_beside"
PROJECT = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1]
