"""The life of a KIE task, from its creation to its callback."""

import asyncio
import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

import httpx
from PIL import Image

from standins.kie.callbacks import Callbacks
from standins.kie.keeping import Keeper
from standins.kie.models import StandinModel
from standins.kie.state import FILES_PATH, KieState, Task
from standins.movie import MovieMaker, Sound

_WAITING_SHARE = 0.3


class TaskFailure(Exception):
    def __init__(self, code: str, msg: str) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg


class Workshop:
    def __init__(
        self, state: KieState, callbacks: Callbacks, http: httpx.AsyncClient, keeper: Keeper
    ) -> None:
        self._state = state
        self._keeper = keeper
        self._callbacks = callbacks
        self._http = http
        self._maker = MovieMaker()
        # One at a time: two cores are shared with everything else a smoke run starts.
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="movie")
        self._running: set[asyncio.Task[None]] = set()

    def start(self, task: Task) -> None:
        running = asyncio.create_task(self._live(task), name=f"kie-{task.id}")
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        self.forget()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def forget(self) -> None:
        for running in self._running:
            running.cancel()

    async def _live(self, task: Task) -> None:
        await self._callbacks.forge(task)
        try:
            await self._make(task)
        except TaskFailure as failure:
            self._close(task, "fail", failure)
        else:
            self._close(task, "success")
        self._keeper.keep_task(task)
        await self._callbacks.announce(task)

    async def _make(self, task: Task) -> None:
        if self._state.running_tasks(task.account) > self._state.settings.running_max:
            raise TaskFailure("500", "concurrent generation limit reached")
        movie = asyncio.create_task(self._movie(task))
        try:
            await self._generate(task)
            if task.outcome.fail_msg:
                raise TaskFailure(task.outcome.fail_code, task.outcome.fail_msg)
            task.movie = await movie
        finally:
            movie.cancel()
            await asyncio.gather(movie, return_exceptions=True)

    async def _generate(self, task: Task) -> None:
        ordered = task.outcome.generation_seconds
        seconds = self._state.settings.generation_seconds if ordered is None else ordered
        shows = task.model.shows_generating if task.outcome.generating is None else task.outcome.generating
        await _pause(task, seconds * _WAITING_SHARE)
        if shows:
            task.state = "generating"
        await _pause(task, seconds * (1 - _WAITING_SHARE))
        while task.held:
            await task.changed.wait()
            task.changed.clear()

    async def _movie(self, task: Task) -> bytes:
        photo = await self._fetch(task.model.photo_url(task.input))
        _check_photo(photo, task.model)
        aspect = str(task.input.get("aspect_ratio") or "")
        index_first = task.outcome.result != "index_last"

        def make() -> bytes:
            return self._maker.make(photo, aspect, _sound_of(task), index_first=index_first)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, make)
        except OSError as failure:  # Pillow's word for a picture that breaks off
            raise TaskFailure("500", "image format incorrect") from failure

    async def _fetch(self, url: str) -> bytes:
        own = self._own_upload(url)
        if own is not None:
            return own
        try:
            answer = await self._http.get(
                url, timeout=self._state.settings.fetch_timeout_seconds, follow_redirects=True
            )
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise TaskFailure("451", "Failed to fetch the image") from failure
        return answer.content

    def _own_upload(self, url: str) -> bytes | None:
        path = unquote(urlsplit(url).path)
        upload = self._state.upload_at(path.removeprefix(f"{FILES_PATH}/"))
        return upload.content if upload and path.startswith(FILES_PATH) else None

    def _close(self, task: Task, state: str, failure: TaskFailure | None = None) -> None:
        task.completed_at = self._state.clock()
        task.state = state
        if failure is not None:
            task.fail_code, task.fail_msg = failure.code, failure.msg
            self._state.account(task.account).credits += task.credits
            return
        task.result_urls = self._result_urls(task)

    def _result_urls(self, task: Task) -> list[str]:
        if task.outcome.resultless:
            return []
        if task.outcome.result_urls is not None:
            return task.outcome.result_urls
        ordered = task.outcome.result_ttl_seconds
        return [
            self._state.new_link(
                task, self._state.settings.result_ttl_seconds if ordered is None else ordered
            )
        ]


async def _pause(task: Task, seconds: float) -> None:
    """Ends early when somebody hurries the task."""
    due = asyncio.get_running_loop().time() + seconds
    while not task.hurried and (left := due - asyncio.get_running_loop().time()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(task.changed.wait(), left)
            task.changed.clear()


def _sound_of(task: Task) -> Sound:
    match task.outcome.result:
        case "mute":
            return "none"
        case "silent" | "tone" as ordered:
            return ordered
        case _:
            return "tone" if task.model.has_sound(task.input) else "none"


def _check_photo(photo: bytes, model: StandinModel) -> None:
    try:
        with Image.open(io.BytesIO(photo)) as opened:
            kind, side = opened.format or "", min(opened.size)
    except (OSError, Image.DecompressionBombError) as failure:
        raise TaskFailure("500", "image format incorrect") from failure
    if kind not in model.formats or len(photo) > model.bytes_max:
        raise TaskFailure("500", "image format incorrect")
    if side < model.side_px_min:
        raise TaskFailure("500", "unsupported width or height")
