"""Put what stands beside the package into its wheel: an installed package has no checkout around it."""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
BESIDE = ("dbt_project", "examples", "docs", "dagster.yaml", "deploy/workspace.grpc.yaml", "deploy/dagster.celery.yaml")
MADE = shutil.ignore_patterns("target", "logs", ".user.yml", "__pycache__", "images")


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
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / source.name, ignore=MADE)
            else:
                shutil.copy2(source, folder / source.name)


def description() -> str:
    """README without pictures and with the words alone of links into the checkout: an index has neither."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"^(?:!\[[^]]*\]\([^)]*\)|(?:<img [^>]*>\s*)+)\n+", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", text)


setup(
    cmdclass={"build_py": WithWhatStandsBeside},
    long_description=description(),
    long_description_content_type="text/markdown",
)
