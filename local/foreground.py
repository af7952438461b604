"""Ctrl-C for us alone. `make` would answer it with "Interrupt" and code 130, however cleanly we ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final

_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_started_by_make() -> bool:
    """On a terminal, in the process group of somebody else, and that group has the terminal."""
    if not sys.stdin.isatty():
        return False
    group = os.getpgrp()
    return group != os.getpid() and os.tcgetpgrp(sys.stdin.fileno()) == group


def run_in_foreground(command: Sequence[str]) -> int:
    """Run the command as the terminal's own process group; its exit code."""
    terminal, group = sys.stdin.fileno(), os.getpgrp()
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = subprocess.Popen(command, process_group=0)  # noqa: S603 - our own program

    def forward(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    os.tcsetpgrp(terminal, child.pid)
    try:
        return child.wait()
    finally:
        os.tcsetpgrp(terminal, group)
