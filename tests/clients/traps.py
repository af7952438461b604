"""Sockets that nobody may call, names that answer as told, and a dialler that writes down where it goes."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpcore

from clients.addresses import is_public

TRAP_ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.8.9.10", "::1")
PUBLIC_ADDRESS = "93.184.215.14"


@dataclass
class Traps:
    """One port on several addresses of this machine."""

    port: int = 0
    calls: list[str] = field(default_factory=list)

    async def called(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.append(str(writer.get_extra_info("sockname")[0]))
        writer.close()


@asynccontextmanager
async def traps_set() -> AsyncIterator[Traps]:
    traps = Traps()
    async with AsyncExitStack() as stack:
        for address in TRAP_ADDRESSES:
            try:
                server = await asyncio.start_server(traps.called, address, traps.port)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:  # a machine without IPv6
                    continue
                raise
            stack.callback(server.close)
            traps.port = server.sockets[0].getsockname()[1]
        yield traps


@dataclass
class Names:
    """A resolver. A name's answers are given out in order, the last one again and again."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        lists = self.answers[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]


class Dialler(httpcore.AsyncNetworkBackend):
    """Really connects; a public address is a server of this machine, or nobody."""

    def __init__(self, https_port: int, public_port: int = 0) -> None:
        self.dialled: list[tuple[str, int]] = []
        self._https_port = https_port
        self._public_port = public_port
        self._anyio = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if is_public(host):
            if not self._public_port:
                raise httpcore.ConnectError("nobody there")
            host, port = "127.0.0.1", self._public_port
        elif port == 443:  # the traps listen where everybody may
            port = self._https_port
        return await self._anyio.connect_tcp(host, port, timeout, local_address, socket_options)
