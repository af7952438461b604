"""A workflow changed incompatibly does not pass: planted changes, each replayed on histories of real runs."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from local.programs import ROOT
from tests.histories.files import FOLDER, load
from workflows.registry import DATA_CONVERTER


@dataclass(frozen=True)
class Change:
    """In the source of a workflow; `history` names the run that it breaks."""

    why: str
    file: str
    before: str
    after: str
    history: str


VIDEO, ORDER, BROADCAST = "videos", "orders", "broadcasting"
WORKFLOWS = {VIDEO: "Video", ORDER: "VideoOrder", BROADCAST: "Broadcast"}

CHANGES = [
    Change("nothing but a comment", VIDEO, "# -- the story", "# -- her story", ""),
    Change(
        "a step less",
        VIDEO,
        "        await self._show(Stage.MAKING)\n",
        "",
        "delivered_by_callback.v1",
    ),
    Change(
        "a step more",
        VIDEO,
        'self._say("the result is there: sending it to Telegram")',
        'self._say("the result is there: sending it to Telegram"); await self._show(Stage.DELIVERING)',
        "delivered_by_callback.v1",
    ),
    Change(
        "told before it is settled",
        VIDEO,
        "settled = await run(contracts.SETTLE_VIDEO, settle, self._policy, "
        'f"refund: {failure_words(failure)}")',
        "await tell(run(contracts.TELL_FAILURE, self._ref, self._policy))\n"
        '        settled = await run(contracts.SETTLE_VIDEO, settle, self._policy, "refund")',
        "failed_three_times.v1",
    ),
    Change(
        "a pause that was not there",
        VIDEO,
        "        self._attempts += 1\n",
        "        self._attempts += 1\n        await workflow.sleep(1)\n",
        "next_video_model.v1",
    ),
    Change(
        "a signal that is not sent",
        VIDEO,
        "        await tell_order(self._video, result.state)\n",
        "",
        "waiting_for_its_user.v1",
    ),
    Change(
        "moderated before the photo is there",
        ORDER,
        '            (contracts.FETCH_PHOTO, "fetching the ", "photo from Telegram"),\n'
        '            (contracts.MODERATE_BRIEF, "moderating ", "text and photo"),\n',
        '            (contracts.MODERATE_BRIEF, "moderating ", "text and photo"),\n'
        '            (contracts.FETCH_PHOTO, "fetching the ", "photo from Telegram"),\n',
        "delivered_by_callback.order",
    ),
    Change(
        "videos in another order",
        ORDER,
        "range(1, order.video_count + 1)",
        "range(order.video_count, 0, -1)",
        "five_videos.order",
    ),
    Change(
        "other children",
        ORDER,
        "id=ids.video_workflow_id(video_id),",
        'id="video-" + video_id,',
        "waiting_for_kie.order",
    ),
    Change(
        "no closing card",
        ORDER,
        "if order.video_count > 1:",
        "if order.video_count > 5:",
        "five_videos.order",
    ),
    Change(
        "no watch over a long wait",
        ORDER,
        "        watch = asyncio.create_task(",
        "        watch = asyncio.create_task(asyncio.sleep(0)) if order else asyncio.create_task(",
        "waiting_for_kie.order",
    ),
    Change(
        "a broadcast that does not pause",  # it goes on with the workers of today, whoever began it
        BROADCAST,
        "            await self._pause(progress)\n",
        "",
        "broadcast.broadcast",
    ),
]


def changed(change: Change, folder: Path) -> ModuleType:
    source = (ROOT / "workflows" / f"{change.file}.py").read_text()
    assert change.before in source, f"{change.why}: the line to change is not there any more"
    path = folder / f"changed_{change.file}.py"
    path.write_text(source.replace(change.before, change.after))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def replay(change: Change, folder: Path, history: str) -> None:
    workflow = getattr(changed(change, folder), WORKFLOWS[change.file])
    replayer = Replayer(
        workflows=[workflow],
        data_converter=DATA_CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        debug_mode=True,  # a machine that stands still for two seconds is no deadlock
    )
    await replayer.replay_workflow(load(FOLDER / f"{history}.json"))


@pytest.mark.parametrize("change", [each for each in CHANGES if each.history], ids=lambda change: change.why)
async def test_an_incompatible_change_is_caught(change: Change, tmp_path: Path) -> None:
    with pytest.raises(NondeterminismError):
        await replay(change, tmp_path, change.history)


async def test_a_change_that_decides_nothing_passes(tmp_path: Path) -> None:
    (harmless,) = [each for each in CHANGES if not each.history]
    await replay(harmless, tmp_path, "delivered_by_callback.v1")
