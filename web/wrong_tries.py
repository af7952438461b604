"""So many wrong tokens of one address in a minute; then it is not even listened to."""

from collections import Counter
from typing import Final

from domain.clock import Clock

TRIES_MAX: Final = 10
WINDOW_SECONDS: Final = 60
_ADDRESSES_MAX: Final = 1_000  # of one minute; what comes from still others is refused as well


class WrongTries:
    """Forgets everything with each minute, so it cannot grow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window = 0
        self._tries: Counter[str] = Counter()

    def too_many(self, address: str) -> bool:
        self._turn_page()
        is_crowded = len(self._tries) >= _ADDRESSES_MAX and address not in self._tries
        return is_crowded or self._tries[address] >= TRIES_MAX

    def add(self, address: str) -> None:
        self._turn_page()
        self._tries[address] += 1

    def _turn_page(self) -> None:
        window = int(self._clock().timestamp()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._tries.clear()
