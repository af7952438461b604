"""Programs of others that read our files for real. They come with `.ci/run`; a machine may lack them."""

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Where it is. Without it the test is skipped, and fails where `.ci/run` has installed everything."""
    path = shutil.which(name)
    if path is None and os.environ.get("TOOLS_REQUIRED"):
        pytest.fail(f"{name} is not installed: see .ci/run")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path
