"""A restart of the stand-in for KIE, as after Ctrl-C and `make run` again: nobody's task is lost."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import running
from tests.standins.kie_parts import KEYS, Receiver, Rig

SETTINGS = KieSettings(generation_seconds=0.05, callback_retry_seconds=0.05, queries_max=1000)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Rig]:
    receiver = Receiver()
    async with (
        running(receiver.app()) as receiver.url,
        running(kie_app(SETTINGS, KEYS, folder=folder)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield Rig(http, receiver)


async def test_what_was_in_the_making_is_made(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        await rig.control("outcomes", match="vase", hold=True)
        await rig.control("outcomes", match="people", fail_code="422", fail_msg="Image contains faces")
        held, failed = await rig.new_task("a vase"), await rig.new_task("people")
        await rig.finished(failed)
    async with opened(tmp_path) as rig:
        assert (await rig.record(held))["data"]["state"] == "waiting"
        assert (await rig.record(failed))["data"]["failMsg"] == "Image contains faces"
        await rig.control("release")
        video = await rig.video(held)
        assert b"moov" in video


async def test_what_was_made_is_still_there_under_its_link(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        task_id = await rig.new_task()
        first = await rig.video(task_id)
        link = json.loads((await rig.finished(task_id))["resultJson"])["resultUrls"][0]
        photo = await rig.upload("later.jpg")
    async with opened(tmp_path) as rig:
        assert (await rig.http.get(httpx.URL(link).path)).content == first
        assert (await rig.http.get(httpx.URL(photo).path)).status_code == 200
        fresh = await rig.call("POST", "/api/v1/common/download-url", json={"url": link})
        assert (await rig.http.get(httpx.URL(fresh["data"]).path)).content == first


async def test_it_is_kept_while_it_runs_not_only_at_its_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as killed:
        await killed.control("hold")
        task_id = await killed.new_task("a vase")
        async with opened(tmp_path) as rig:
            await rig.control("release")
            assert (await rig.finished(task_id))["state"] == "success"


async def test_half_a_file_and_a_reset_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "0.task").write_text('{"id": "0"')
    (tmp_path / "0.task.new").write_text("")
    async with opened(tmp_path) as rig:
        assert await rig.tasks() == []
        await rig.new_task()
        await rig.http.post("/control/reset")
    assert list(tmp_path.iterdir()) == []


async def test_what_it_did_not_write_stays(tmp_path: Path) -> None:
    """The folder may be any: a project, a home."""
    (tmp_path / ".env").write_text("BOT_TOKEN=1")
    (tmp_path / "notes.new").touch()
    (tmp_path / "folder.task").mkdir()
    for ours in ("0.task", "0.task.new", "photo.upload", "photo.upload.new"):
        (tmp_path / ours).touch()
    async with opened(tmp_path) as rig:
        assert await rig.tasks() == []
        await rig.http.post("/control/reset")
    assert {path.name for path in tmp_path.iterdir()} == {".env", "notes.new", "folder.task"}
