"""What outlives a restart where a folder was given: KIE goes on with its tasks, whoever restarts."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from pydantic import TypeAdapter, ValidationError

from standins.kie.state import KieState, Link, Task, Upload, link_token

T = TypeVar("T")

_TASK: Final = TypeAdapter(Task)
_UPLOAD: Final = TypeAdapter(Upload)
_KEPT_FOR: Final = timedelta(days=1)  # as long as uploads and links
_OURS: Final = (".task", ".upload", ".task.new", ".upload.new")


class Keeper:
    """One file for each, written whole or not at all; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep_task(self, task: Task) -> None:
        self._write(f"{task.id}.task", _TASK.dump_json(task, exclude={"changed"}))

    def keep_upload(self, path: str, upload: Upload) -> None:
        self._write(f"{quote(path, safe='')}.upload", _UPLOAD.dump_json(upload))

    def recall(self, state: KieState) -> list[Task]:
        """Everything of the last day is back; the answer is what has to be begun again."""
        now = state.clock()
        for name, upload in self._read("upload", _UPLOAD):
            if upload.expires_at > now:
                state.uploads[unquote(name)] = upload
        tasks = [task for _, task in self._read("task", _TASK) if task.created_at + _KEPT_FOR > now]
        for task in tasks:
            state.tasks[task.id] = task
            links = {link_token(url): Link(task.id, task.created_at + _KEPT_FOR) for url in task.result_urls}
            state.links.update(links)
        self.keep_only(state)
        return [task for task in tasks if not task.closed]

    def keep_only(self, state: KieState) -> None:
        """The files of everything else go; what is not ours stays, whatever folder was given."""
        known = {f"{task_id}.task" for task_id in state.tasks}
        known |= {f"{quote(path, safe='')}.upload" for path in state.uploads}
        for path in self._folder.iterdir() if self._folder else ():
            if path.name not in known and path.name.endswith(_OURS) and not path.is_dir():
                path.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        """On a full disk it is forgotten by the next start."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            temporary = self._folder / f"{name}.new"
            temporary.write_bytes(content)
            temporary.replace(self._folder / name)

    def _read(self, kind: str, what: TypeAdapter[T]) -> Iterator[tuple[str, T]]:
        for path in sorted(self._folder.glob(f"*.{kind}")) if self._folder else ():
            with contextlib.suppress(OSError, ValidationError):
                yield path.stem, what.validate_json(path.read_bytes())
