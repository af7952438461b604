"""What every worker and replayer must agree on."""

from dataclasses import replace
from typing import Final

from temporalio.common import VersioningBehavior
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from workflows.broadcasting import Broadcast
from workflows.housekeeping import Housekeeping
from workflows.invariants import InvariantCheck
from workflows.orders import VideoOrder
from workflows.probing import KieProbe
from workflows.reporting import DailyReport
from workflows.resending import VideoResend
from workflows.retention import MediaRetention
from workflows.videos import Video

ALL_WORKFLOWS: Final = (
    VideoOrder,
    Video,
    VideoResend,
    Housekeeping,
    InvariantCheck,
    KieProbe,
    MediaRetention,
    Broadcast,
    DailyReport,
)

DATA_CONVERTER: Final[DataConverter] = pydantic_data_converter
"""Without a codec: for servers of tests, and for histories in files."""

_OURS: Final = ("activities", "domain", "workflows")


def data_converter(codec: PayloadCodec, *, hides_failures: bool) -> DataConverter:
    """`hides_failures`: their messages and stack traces become payloads, which the codec encrypts."""
    converter = replace(DATA_CONVERTER, payload_codec=codec)
    if not hides_failures:
        return converter
    return replace(converter, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)


class _Unversioned(UnsandboxedWorkflowRunner):
    """Inside the sandbox. Without a build id the server takes no answer that names a behaviour."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        defn = replace(det.defn, versioning_behavior=VersioningBehavior.UNSPECIFIED)
        return super().create_instance(replace(det, defn=defn))


def workflow_runner(*, versioned: bool = False) -> WorkflowRunner:
    """Our packages are passed through: a waiting workflow then costs a tenth of the memory.

    An import nobody meant to pass through stops the worker at its start. `versioned`: it has a build id.
    """
    policy = (
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_OURS)
    return SandboxedWorkflowRunner(
        restrictions=restrictions.with_import_notification_policy(policy),
        runner_class=UnsandboxedWorkflowRunner if versioned else _Unversioned,
    )
