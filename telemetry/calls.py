"""How long a call to somebody else's machine took, and how it was answered."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from telemetry.instruments import Histogram

NO_ANSWER: Final = "none"
NOT_CONNECTED: Final = "connect"
TOO_SLOW: Final = "timeout"
OTHER_CODE: Final = "other"

_CODES: Final = range(100, 600)


class Call:
    """Without a word it ended without an answer."""

    def __init__(self) -> None:
        self.code = NO_ANSWER

    def answered(self, code: int | str) -> None:
        """What a provider makes up is not a label."""
        text = str(code)
        self.code = text if text.isdecimal() and int(text) in _CODES else OTHER_CODE

    def not_connected(self) -> None:
        self.code = NOT_CONNECTED

    def broke_off(self, error: BaseException) -> None:
        """Of whatever HTTP library: they all call it so."""
        self.code = TOO_SLOW if "Timeout" in type(error).__name__ else NO_ANSWER


@contextmanager
def timed(histogram: Histogram, **labels: str) -> Iterator[Call]:
    """Measured however it ends; `code` is what the call says of itself."""
    call, began_at = Call(), time.perf_counter()
    try:
        yield call
    finally:
        histogram.record(time.perf_counter() - began_at, code=call.code, **labels)
