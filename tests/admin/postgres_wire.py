"""The line to PostgreSQL, which loses the answer to a COMMIT, or falls silent."""

import asyncio
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_LOCALHOST = "127.0.0.1"


class PostgresWire:
    """Of the first `lost` commits the answer never comes: the line is cut behind them.

    With `then_away` nobody listens afterwards. `silent` passes on nothing any more.
    """

    def __init__(self, url: str, lost: int = 0, *, then_away: bool = False) -> None:
        self._far = urlsplit(url)
        self._lost = lost
        self._then_away = then_away
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.connected = asyncio.Event()
        self.commits = 0
        self.silent = False

    @property
    def url(self) -> str:
        assert self._server is not None
        login = self._far.netloc.rpartition("@")[0]
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(self._far._replace(netloc=f"{login}@{_LOCALHOST}:{port}"))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, _LOCALHOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set()
        far_reader, far_writer = await asyncio.open_connection(_LOCALHOST, self._far.port)
        self._writers |= {writer, far_writer}
        line = _Line(self, writer)
        await asyncio.gather(line.up(reader, far_writer), line.down(far_reader))
        writer.transport.abort()
        far_writer.transport.abort()

    def loses_answer(self) -> bool:
        self.commits += 1
        if self.commits > self._lost:
            return False
        if self._then_away and self.commits == self._lost and self._server is not None:
            self._server.close()
        return True


class _Line:
    def __init__(self, wire: PostgresWire, near: asyncio.StreamWriter) -> None:
        self._wire = wire
        self._near = near
        self._is_lost = False

    async def up(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if b"COMMIT" in data:
                self._is_lost = self._wire.loses_answer()
            if not self._wire.silent:
                far.write(data)
        far.close()

    async def down(self, reader: asyncio.StreamReader) -> None:
        while data := await _read(reader):
            if self._is_lost:
                break
            if not self._wire.silent:
                self._near.write(data)
        self._near.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65_536)
    except ConnectionError:
        return b""
