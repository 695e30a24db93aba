"""Say which folder dbt is run on: the project of this code, or one in the home folder that is put together from links.

The latter where a team adds models, which dbt takes from below its project only and for which it keeps a parse of its
own; and where the code is installed such that we may not write beside it. A link is made anew when what it leads to has
moved, as when another version is installed.
"""

import os
from pathlib import Path

from cs_pipeline.dbt_files import DBT_PROJECT, models_of_team
from cs_pipeline.plain_files import make_private
from cs_pipeline.settings import Settings

PARTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "snapshots", "tests")
"""What a project consists of; what dbt writes is in `target` beside them."""
TEAM = "models_of_team"
"""The second folder of models in dbt_project.yml, which the shipped project does not have."""


def dbt_folder(settings: Settings) -> Path:
    """The folder to run dbt on, made if need be."""
    own = models_of_team(settings.config)
    if own is None and _may_write(DBT_PROJECT):
        return DBT_PROJECT
    folder = settings.home.resolve() / "dbt_project"
    if not settings.home.exists():
        make_private(settings.home, is_entered=True)
    make_private(folder)
    for part in PARTS:
        _lead(folder / part, DBT_PROJECT / part)
    if own is not None:
        _lead(folder / TEAM, own.resolve())
    else:
        (folder / TEAM).unlink(missing_ok=True)
    return folder


def _may_write(project: Path) -> bool:
    target = project / "target"
    return os.access(target if target.exists() else project, os.W_OK | os.X_OK)


def _lead(link: Path, to: Path) -> None:
    """Several processes may start at once: a whole link takes the place of the old one."""
    if link.is_symlink() and link.readlink() == to:
        return
    made = link.with_name(f".{link.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    made.symlink_to(to)
    made.replace(link)
