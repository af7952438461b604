"""Whether a schedule is as this release says, though the server has it encoded, and perhaps encrypted."""

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Schedule, ScheduleActionStartWorkflow
from temporalio.converter import DataConverter


async def is_as_said(converter: DataConverter, kept: Schedule, said: Schedule) -> bool:
    """Its times and policies, what it starts and with what, and by which key that is encrypted.

    Its state is the operators': a schedule that somebody paused is not another one.
    """
    if (kept.spec, kept.policy) != (said.spec, said.policy):
        return False
    old, new = kept.action, said.action
    if not (isinstance(old, ScheduleActionStartWorkflow) and isinstance(new, ScheduleActionStartWorkflow)):
        return False
    return _facts(old) == _facts(new) and await _says_the_same(converter, _words(old), _words(new))


def _facts(action: ScheduleActionStartWorkflow) -> tuple[Any, ...]:
    return (
        action.workflow,
        action.id,
        action.task_queue,
        action.execution_timeout,
        action.run_timeout,
        action.task_timeout,
        action.retry_policy,
        action.priority,
    )


def _words(action: ScheduleActionStartWorkflow) -> list[Any]:
    """What becomes a payload. The server gives one without content for what was never said."""
    words = [*action.args, action.static_summary, action.static_details]
    return [None if word == Payload() else word for word in words]


async def _says_the_same(converter: DataConverter, kept: Sequence[Any], said: Sequence[Any]) -> bool:
    if [word is None for word in kept] != [word is None for word in said]:
        return False
    old: list[Payload] = [word for word in kept if word is not None]
    new = converter.payload_converter.to_payloads([word for word in said if word is not None])
    sample = await _encoded(converter, new)
    if [dict(each.metadata) for each in old] != [dict(each.metadata) for each in sample]:
        return False  # another key since: the old one is taken away some day
    codec = converter.payload_codec
    return (await codec.decode(old) if codec else old) == new


async def _encoded(converter: DataConverter, payloads: Sequence[Payload]) -> list[Payload]:
    return await converter.payload_codec.encode(payloads) if converter.payload_codec else list(payloads)
