"""A file of settings that cannot be had: one sentence and 2, never the default settings."""

from pathlib import Path

import pytest

from tests.run.programs import ended

# Imported first: the other user may not be allowed to the interpreter's own files.
AS_ANOTHER_USER = """
import os, sys, environment
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    environment.merged_environment()
except environment.WrongSetting as wrong:
    sys.exit(str(wrong))
"""


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("folder", "is not there, or is no file"),
        ("file/below", "is not there, or is no file"),
        ("circle", "cannot be read: Too many levels of symbolic links"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
async def test_what_is_no_file_is_one_sentence(tmp_path: Path, path: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    end = await ended("admin_main.py", "keys", settings={"ENV_FILE": str(tmp_path / path)})
    assert end.code == 2
    assert end.err == f"ENV_FILE: {tmp_path / path} {says}\n"


async def test_a_folder_that_may_not_be_entered_is_one_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "env").touch()
    closed.chmod(0)
    file = closed / "env"
    end = await ended("-c", AS_ANOTHER_USER, settings={"ENV_FILE": str(file)})
    closed.chmod(0o700)
    assert end.err == f"ENV_FILE: {file} cannot be read: Permission denied\n"
