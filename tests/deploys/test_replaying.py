"""`make replay`: one workflow of a server or a file, with the code of today; what it says when it cannot."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowHistory

from activities.contracts import TaskQueue
from clients.payload_codec import payload_codec
from domain import ids
from local.processes import free_port
from local.programs import ROOT
from local.temporal import TemporalServer, connect
from replaying import CannotReplay, Differs, read, replay, workflow_id_of
from tests.histories.files import FOLDER
from tests.run.programs import START_SECONDS_MAX, Ended, ended
from worker_main import make_worker
from workflows.contracts import VideoInput
from workflows.registry import DATA_CONVERTER, data_converter
from workflows.videos import Video

DELIVERED = FOLDER / "delivered_by_callback.v1.json"
WAITING = FOLDER / "waiting_for_kie.v1.json"
ORDER_ID = "0123456789abcdef0123"
KEY = "one:" + "A" * 43 + "="


def told(path: Path = DELIVERED) -> dict[str, Any]:
    history: dict[str, Any] = json.loads(path.read_text())
    return history


def written(folder: Path, history: Any) -> Path:
    path = folder / "history.json"
    path.write_text(history if isinstance(history, str) else json.dumps(history))
    return path


@pytest.mark.unit
@pytest.mark.parametrize(
    ("typed", "workflow_id"),
    [
        (ORDER_ID, f"order-{ORDER_ID}"),
        (f"{ORDER_ID}-v2", f"order-{ORDER_ID}-v2"),
        (f"{ORDER_ID}-v2-a1", f"order-{ORDER_ID}-v2"),
        (f"order-{ORDER_ID}", f"order-{ORDER_ID}"),
        (f"resend-{ORDER_ID}-v1", f"resend-{ORDER_ID}-v1"),
        ("housekeeping", "housekeeping"),
    ],
)
def test_an_id_as_people_find_it_names_a_workflow(typed: str, workflow_id: str) -> None:
    assert workflow_id_of(typed) == workflow_id


async def test_what_was_replayed_is_said_in_a_few_lines() -> None:
    lines = list((await replay(read(DELIVERED), DATA_CONVERTER)).lines())
    assert lines[0].startswith("Video order-")
    assert "78" in lines[1]
    assert '"state": "DELIVERED"' in lines[2]
    assert len(lines) == 4


async def test_of_one_that_runs_it_says_what_it_waits_for() -> None:
    replayed = await replay(read(WAITING), DATA_CONVERTER)
    assert (replayed.outcome, replayed.waits_for) == ("still running", ("timer (until the next poll)",))


async def test_the_list_of_events_alone_is_a_history_too(tmp_path: Path) -> None:
    replayed = await replay(read(written(tmp_path, told()["events"])), DATA_CONVERTER)
    assert replayed.events == 78


async def test_where_history_and_code_part_is_named() -> None:
    history = told()
    for event in history["events"]:
        asked = event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {})
        if asked.get("name") == "upload_photo":
            asked["name"] = "ring"
    with pytest.raises(Differs) as differs:
        await replay(WorkflowHistory.from_json("x", history), DATA_CONVERTER)
    assert str(differs.value) == (
        "Activity type of scheduled event 'ring' does not match activity type of activity command"
        " 'upload_photo'"
    )


async def test_a_step_the_code_does_not_take_is_named_with_its_event() -> None:
    history = told(WAITING)
    last = history["events"][-1]
    more = {**last, "eventId": str(len(history["events"]) + 1)}
    history["events"].append(more)
    with pytest.raises((Differs, CannotReplay)):
        await replay(WorkflowHistory.from_json("x", history), DATA_CONVERTER)


def without_start(history: dict[str, Any]) -> Any:
    return {"events": history["events"][1:]}


def with_a_hole(history: dict[str, Any]) -> Any:
    return {"events": history["events"][:10] + history["events"][12:]}


def of_another_program(history: dict[str, Any]) -> Any:
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    started["workflowType"]["name"] = "SomebodyElses"
    return history


def without_a_run(history: dict[str, Any]) -> Any:
    del history["events"][0]["workflowExecutionStartedEventAttributes"]["originalExecutionRunId"]
    return history


def decoded(history: dict[str, Any]) -> Any:
    history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"] = [{"number": 1}]
    return history


BROKEN = [
    ("", "is not JSON"),
    ("not json", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ("[]", "does not begin with the start"),
    ("{}", "has no list of events"),
    ('{"events": 3}', "has no list of events"),
    ('{"events": [1, 2]}', "as Temporal writes it"),
    (decoded, "take it once more, without decoding"),
    (without_start, "does not begin with the start"),
    (with_a_hole, "event 11 is missing"),
    (of_another_program, "no workflow SomebodyElses in this version"),
    (without_a_run, "does not say which run"),
]


@pytest.mark.parametrize(("broken", "said"), BROKEN)
async def test_a_broken_file_is_one_sentence(tmp_path: Path, broken: Any, said: str) -> None:
    path = written(tmp_path, broken(told()) if callable(broken) else broken)
    with pytest.raises(CannotReplay, match=said) as refused:
        await replay(read(path), DATA_CONVERTER)
    assert "\n" not in str(refused.value)


async def test_an_encrypted_history_needs_its_key() -> None:
    secret, keyless = payload_codec(SecretStr(KEY)), payload_codec(SecretStr(""))
    history = read(DELIVERED)
    started = history.events[0].workflow_execution_started_event_attributes
    (hidden,) = await secret.encode(list(started.input.payloads))
    started.input.payloads[0].CopyFrom(hidden)
    with pytest.raises(CannotReplay, match="encrypted with 'one', which TEMPORAL_PAYLOAD_KEY does not name"):
        await replay(history, data_converter(keyless, hides_failures=False))
    assert (await replay(history, data_converter(secret, hides_failures=True))).events == 78


# -- the command


async def command(*arguments: str, **settings: str) -> Ended:
    return await ended("replay_main.py", *arguments, settings=settings)


async def test_codes_0_1_and_2(tmp_path: Path) -> None:
    history = told()
    history["events"][4]["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "ring"
    other = written(tmp_path, history)
    right, differs, nothing, both, missing = await asyncio.gather(
        command("--file", str(DELIVERED)),
        command("--file", str(other)),
        command(),
        command("--file", str(DELIVERED), "--id", "order-x"),
        command("--file", str(tmp_path / "none.json")),
    )
    assert (right.code, right.err, len(right.out.splitlines())) == (0, "", 4)
    assert (differs.code, differs.out) == (1, "")
    assert differs.err == (
        f"{other} does not replay: Activity type of scheduled event 'ring' does not match activity type of"
        " activity command 'open_video'\n"
    )
    assert {each.code for each in (nothing, both, missing)} == {2}
    assert nothing.err == both.err == "say which one: ID=order-… or FILE=history.json\n"
    assert missing.err == f"{tmp_path / 'none.json'} cannot be read: No such file or directory\n"


async def test_a_server_that_is_away_or_does_not_know_it(temporal_server: TemporalServer) -> None:
    away, unknown, run, namespace = await asyncio.gather(
        command("--id", ORDER_ID, TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}"),
        command("--id", ORDER_ID, TEMPORAL_ADDRESS=temporal_server.address),
        command("--id", ORDER_ID, "--run", "not-a-run", TEMPORAL_ADDRESS=temporal_server.address),
        command("--id", ORDER_ID, TEMPORAL_ADDRESS=temporal_server.address, TEMPORAL_NAMESPACE="elsewhere"),
    )
    assert {each.code for each in (away, unknown, run, namespace)} == {2}
    assert away.err.startswith("cannot go on without Temporal at 127.0.0.1:")
    assert unknown.err == f"there is no workflow order-{ORDER_ID} in the namespace default\n"
    for each in (away, unknown, run, namespace):
        assert each.err.count("\n") == 1, each.err


async def started(client: Client) -> str:
    """A video that waits for its first activity, which nobody serves here."""
    video_id = ids.video_id(ids.new_draft_id(), 1)
    video = VideoInput(video_id=video_id, order_id=ids.order_id_of_video(video_id), number=1, video_count=1)
    async with make_worker(client, TaskQueue.ORDERS, ()):
        handle = await client.start_workflow(
            Video.run, video, id=ids.video_workflow_id(video_id), task_queue=TaskQueue.ORDERS.value
        )
        while len((await handle.fetch_history()).events) < 5:  # noqa: ASYNC110 - a worker drives it
            await asyncio.sleep(0.05)
    return video_id


async def test_of_a_server_and_of_a_stored_system(run_folder: Path) -> None:
    folder = run_folder / f"stored-{uuid4().hex[:6]}"
    server = TemporalServer(folder / "temporal", ui_port=None)
    await server.start()
    video_id = await started(await connect(server.address))
    live = await command("--id", video_id, TEMPORAL_ADDRESS=server.address)
    await server.stop()
    stored, empty = await asyncio.gather(
        command("--id", f"{video_id}-a1", "--data", str(folder)),
        command("--id", video_id, "--data", str(run_folder / "nothing")),
    )
    assert (live.code, stored.code) == (0, 0), stored.err
    assert live.out == stored.out
    assert "waits for  open_video (what the rows say)" in live.out
    assert (empty.code, empty.err) == (2, f"{run_folder / 'nothing'} is not the data of a make run\n")


def test_a_breakpoint_in_a_workflow_stops_there(tmp_path: Path) -> None:
    """A copy of the code with one line more, as somebody debugs it; pdb is asked and then told to go on."""
    for name in ("activities", "admin", "clients", "domain", "schema", "store", "telemetry"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "workflows").mkdir()
    for path in (*ROOT.glob("*.py"), *(ROOT / "workflows").glob("*.py")):
        (tmp_path / path.relative_to(ROOT)).write_text(path.read_text())
    videos = tmp_path / "workflows" / "videos.py"
    line = '            self._say("the result is there: sending it to Telegram")\n'
    assert line in videos.read_text()
    videos.write_text(videos.read_text().replace(line, f"{line}            breakpoint()\n"))
    debugged = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, str(tmp_path / "replay_main.py"), "--debug", "--file", str(DELIVERED)],
        input="p 'I am at ' + self._video.video_id\nc\n",
        capture_output=True,
        text=True,
        timeout=START_SECONDS_MAX,
        check=False,
        cwd=tmp_path,
        env={"ENV_FILE": "", "PATH": ""},
    )
    assert "I am at " in debugged.stdout, debugged.stdout + debugged.stderr
    assert debugged.returncode == 0, debugged.stdout + debugged.stderr
    assert "replays    the code decides as it did then" in debugged.stdout
