"""Child processes that do not outlive us."""

import ctypes
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(stop_signal: int) -> Callable[[], None] | None:
    """For `preexec_fn`: on Linux nothing survives a killed parent, elsewhere there is no such thing."""
    if _LIBC is None:
        return None
    set_option = _LIBC.prctl
    return lambda: set_option(_PR_SET_PDEATHSIG, stop_signal)
