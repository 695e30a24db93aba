"""Files that somebody names or puts into a folder: that they are files at all, and not without end; and folders of
ours, which nobody else may look into.

A pipe, a device or a socket would be waited for without end, and with it whatever reads the folder.
"""

import os
import stat
from pathlib import Path

from cs_pipeline.errors import UserError

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


def what_instead(path: Path) -> str | None:
    """What stands there instead of a file, in words; None for a file. Raises UserError where nobody may look."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to nothing" if path.is_symlink() else None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), None)


def require_file(path: Path) -> None:
    """Raise UserError for what is no file. One that is absent passes: who opens it says so."""
    if kind := what_instead(path):
        raise UserError(f"{path}: is {kind}, not a file")


def require_text_file(path: Path, most_bytes: int) -> None:
    """The same, and for a file that is larger than what a person writes."""
    require_file(path)
    if path.exists() and path.stat().st_size > most_bytes:
        raise UserError(
            f"{path}: is larger than {most_bytes:,} bytes, which nobody writes by hand; is it the right file?"
        )


def make_private(folder: Path, *, is_entered: bool = False) -> None:
    """Make a folder, and what is missing above it, such that only we may read it. `is_entered`: the embedded server
    lies below, which as root runs as somebody else, who must be able to pass.
    """
    mode = 0o711 if is_entered and os.geteuid() == 0 else 0o700
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing or [folder]:
        if path.stat().st_uid == os.geteuid():
            path.chmod(mode)


def keep_short(log: Path, most_bytes: int = 10_000_000) -> None:
    """Put a log that has grown aside, in the place of the one put aside before."""
    if log.exists() and log.stat().st_size > most_bytes:
        log.replace(log.with_name(f"{log.name}.1"))
