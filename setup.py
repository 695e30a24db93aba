"""Put what stands beside the package into its wheel: an installed package has no checkout around it."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE = ("dbt_project", "dagster.yaml", "deploy/workspace.grpc.yaml")
MADE = shutil.ignore_patterns("target", "logs", ".user.yml", "__pycache__")


class WithWhatStandsBeside(build_py):
    """Copies it to where `cs_pipeline/project_folder.py` looks for it."""

    def run(self) -> None:
        """Build as ever, then copy; an editable installation is the checkout itself."""
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib) / "cs_pipeline" / "_beside"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in BESIDE:
            source = Path(__file__).parent / name
            if source.is_dir():
                shutil.copytree(source, folder / source.name, ignore=MADE)
            else:
                shutil.copy2(source, folder / source.name)


setup(cmdclass={"build_py": WithWhatStandsBeside})
