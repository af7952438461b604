"""The body of a call to the Bot API: fields, and a file where one goes along."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from aiohttp import FormData

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes along under the name of its field."""

    name: str
    file_name: str
    content: bytes | Path = field(repr=False)


@asynccontextmanager
async def form_of(fields: Fields, upload: Upload | None) -> AsyncIterator[FormData]:
    form = FormData()
    for name, value in fields.items():
        if value is not None:
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    if upload is None:
        yield form
    elif isinstance(upload.content, bytes):
        form.add_field(upload.name, upload.content, filename=upload.file_name)
        yield form
    else:
        file: BinaryIO = await asyncio.to_thread(upload.content.open, "rb")
        with file:
            form.add_field(upload.name, file, filename=upload.file_name)
            yield form
