"""Whoever wants to know whether a service answers is told at the end of each call."""

from typing import Protocol


class Listener(Protocol):
    async def heard(self, *, answered: bool) -> None:
        """Must not raise: what was called has happened."""


class Nobody:
    async def heard(self, *, answered: bool) -> None:
        pass
