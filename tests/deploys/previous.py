"""The previous release: its queries beside this file, its whole tree in git."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Final

from local.programs import ROOT

FOLDER: Final = Path(__file__).parent / "previous_release"
COMMIT: Final = (FOLDER / "COMMIT").read_text().strip()


def is_in_git() -> bool:
    """A shallow clone has no history, an unpacked archive not even git."""
    return _git("cat-file", "-e", f"{COMMIT}^{{commit}}").returncode == 0


def unpack(folder: Path) -> None:
    archive = _git("archive", COMMIT)
    archive.check_returncode()
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tree:
        tree.extractall(folder, filter="data")


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)  # noqa: S603, S607 - git of this machine, words of ours
