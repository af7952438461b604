"""The workflows of today on the histories of real runs: what they decided then they must decide again."""

import json
from pathlib import Path

import pytest
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from domain.failures import FailureClass
from domain.orders import VideoState
from tests.histories.files import FOLDER, load, paths, payloads_in, refuse_private
from tests.workflows.changed import ChangedResend
from workflows.registry import ALL_WORKFLOWS, DATA_CONVERTER, workflow_runner


def replayer(*workflows: type) -> Replayer:
    return Replayer(workflows=workflows, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner())


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
async def test_history_replays(path: Path) -> None:
    await replayer(*ALL_WORKFLOWS).replay_workflow(load(path))


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_history_tells_nothing_private(path: Path) -> None:
    refuse_private(path.read_text(), secrets=["kie-key", "local-stand-in-key", "stackTrace"])


def test_every_workflow_has_a_history() -> None:
    recorded = {
        load(path).events[0].workflow_execution_started_event_attributes.workflow_type.name
        for path in paths()
    }
    assert recorded == {each.__name__ for each in ALL_WORKFLOWS}


def how_it_ended(path: Path) -> str:
    """The last event as it reads when decoded."""
    return "\n".join(payloads_in(json.loads(path.read_text())["events"][-1]))


def test_every_kind_of_ending_has_a_history() -> None:
    ends = "\n".join(how_it_ended(path) for path in paths())
    states = {state.value for state in VideoState if state.closed}
    wanted = {*states, *FailureClass, "completed", "cancelled", "not_reserved"}
    assert not {each for each in wanted if f'"{each}"' not in ends}


async def test_an_incompatible_change_is_caught() -> None:
    with pytest.raises(NondeterminismError):
        await replayer(ChangedResend).replay_workflow(load(FOLDER / "waiting_for_its_user.resend.json"))
