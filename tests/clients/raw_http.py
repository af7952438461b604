"""A server that answers with exactly these bytes, or does not answer at all."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

DROP = b""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def http(status: int, body: bytes, content_type: str = "application/json", extra: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{extra}"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def http_json(status: int, value: Any) -> bytes:
    return http(status, json.dumps(value).encode())


@dataclass
class RawServer:
    """`answers` are given out in order, the last one again and again."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    delay_seconds: float = 0.0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await _read_request(reader))
        await asyncio.sleep(self.delay_seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(answer)
        writer.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if length := _LENGTH.search(head):
        return head + await reader.readexactly(int(length[1]))
    if b"chunked" not in head.lower():
        return head
    return head + await reader.readuntil(b"\r\n0\r\n\r\n")


@asynccontextmanager
async def raw_server(*answers: bytes, delay_seconds: float = 0.0) -> AsyncIterator[RawServer]:
    raw = RawServer(answers=list(answers), delay_seconds=delay_seconds)
    server = await asyncio.start_server(raw.handle, "127.0.0.1", 0, limit=2**24)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
