"""Write a team's own project: its files, all or none, over what somebody wrote only if asked, and never over .env."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from cs_pipeline.errors import UserError
from cs_pipeline.first_few import first_few
from cs_pipeline.plain_files import what_instead
from cs_pipeline.settings import PREFIX
from cs_pipeline.starter.settings_example import commented_settings

FILES = Path(__file__).parent / "project"
COMPILED = "__pycache__"  # pip compiles whatever Python it installs
CONFIG, SECRETS = "config", ".env"
NAME, VERSION = "customer-success", "==0.0.0"
"""What stands in the files for the project's name and the version that is installed."""
NAMED = 5  # files in an error
SETTINGS_HEAD = """\
# Settings of this folder. Copy it to .env, which is not in git and may hold secrets; a line without # counts. The
# environment of a process wins over it.
"""


@dataclass(frozen=True)
class WrittenFile:
    """A file of the project. `state`: kept where it stood there already as it would be written, or holds secrets."""

    file: Path
    state: Literal["written", "kept"]


def write_project(folder: Path, *, force: bool = False) -> list[WrittenFile]:
    """Write the project into `folder`, which may be there.

    Raises UserError, before anything is written, where a file is there that differs, unless `force`.
    """
    wanted = {folder / name: text for name, text in contents(folder.resolve().name).items()}
    stands = {
        path for path, text in wanted.items() if path.is_file() and (path.name == SECRETS or _text_of(path) == text)
    }
    if blocked := [f"{path} (is {kind})" for path in wanted if (kind := what_instead(path))]:
        raise UserError(f"Nothing is written: {first_few(blocked, NAMED)}")
    if (taken := [str(path) for path in wanted if path.exists() and path not in stands]) and not force:
        raise UserError(
            f"Nothing is written: {first_few(taken, NAMED)} {'are' if len(taken) > 1 else 'is'} there and "
            "would be overwritten. Name another folder, or say --force"
        )
    for path, text in wanted.items():
        if path not in stands:
            _make_readable(path.parent)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600 if path.name == SECRETS else 0o644)
    return [WrittenFile(path, "kept" if path in stands else "written") for path in wanted]


def contents(name: str) -> Mapping[str, str]:
    """Texts by path below the folder, for a project called `name`."""
    settings = _settings()
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or NAME
    files = (path for path in sorted(FILES.rglob("*")) if path.is_file() and path.parent.name != COMPILED)
    found = {_path_of(path): path.read_text(encoding="utf-8") for path in files}
    for file in ("README.md", "pyproject.toml"):
        found[file] = found[file].replace(NAME, plain, 1).replace(VERSION, f"=={version('cs-pipeline')}")
    return {**found, ".env.example": settings, SECRETS: settings}


def _make_readable(folder: Path) -> None:
    """Make a folder that others may enter, whatever we write elsewhere: as root the embedded server is another user."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        path.chmod(0o755)


def _path_of(path: Path) -> str:
    return path.relative_to(FILES).as_posix().replace("dot_", ".")


def _settings() -> str:
    unset, this = f"#{PREFIX}CONFIG=\n", f"{PREFIX}CONFIG={CONFIG}\n"
    text = SETTINGS_HEAD + "".join(f"\n{each}\n" for each in commented_settings())
    return text.replace(unset, this)


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
