"""What every worker and replayer must agree on."""

from typing import Final

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from workflows.housekeeping import Housekeeping
from workflows.orders import VideoOrder
from workflows.probing import KieProbe
from workflows.resending import VideoResend
from workflows.retention import MediaRetention
from workflows.videos import Video

ALL_WORKFLOWS: Final = (VideoOrder, Video, VideoResend, Housekeeping, KieProbe, MediaRetention)

DATA_CONVERTER: Final[DataConverter] = pydantic_data_converter

_OURS: Final = ("activities", "domain", "workflows")


def workflow_runner() -> WorkflowRunner:
    """Our packages are passed through: a waiting workflow then costs a tenth of the memory.

    An import nobody meant to pass through stops the worker at its start.
    """
    policy = (
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_OURS)
    return SandboxedWorkflowRunner(restrictions=restrictions.with_import_notification_policy(policy))
