"""Log lines: readable on a terminal, JSON for machines, and never a secret."""

import logging
import sys
from collections.abc import Iterable
from typing import Final, Literal, TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

from domain.hiding import Hider
from domain.ids import subject_of_workflow

_TOKEN_SHAPES: Final = (
    r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}",  # a bot token, also inside an address
    r"(?<=://)[^/\s@:]*:[^/\s@]+(?=@)",  # user:password of an address
    r"(?<=[Bb]earer )[^\s\"',]+",
)
_CHATTY: Final = (
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "aiogram.event",
    "openai",
    "asyncio",
    "yoyo",
    "temporalio.worker",
)

LogFormat = Literal["auto", "json", "text"]


class _HidingFormatter(structlog.stdlib.ProcessorFormatter):
    """Looks at the finished line, so that tracebacks and other people's messages are covered too."""

    def __init__(self, secrets: Iterable[str], processors: list[Processor]) -> None:
        foreign = [*_shared_processors(), _subject_of_temporal]
        super().__init__(foreign_pre_chain=foreign, processors=processors)
        self._hider = Hider(secrets, _TOKEN_SHAPES)

    def format(self, record: logging.LogRecord) -> str:
        return self._hider.hide(super().format(record))


def set_up_logging(log_format: LogFormat, secrets: Iterable[SecretStr]) -> None:
    """For structlog and for every library that uses `logging`. Writes to stderr."""
    root = logging.getLogger()
    root.handlers = [line_handler(sys.stderr, log_format, secrets)]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Temporal's own lines name everything they know in the message; here it stands beside it.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def line_handler(stream: TextIO, log_format: LogFormat, secrets: Iterable[SecretStr]) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    values = [secret.get_secret_value() for secret in secrets]
    handler.setFormatter(_HidingFormatter(values, _final_processors(log_format)))
    return handler


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _subject_of_temporal(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """A workflow runs in no task of its own: the SDK puts its id beside the line."""
    record = vars(line["_record"])
    details = record.get("temporal_workflow") or record.get("temporal_activity") or {}
    for name, value in subject_of_workflow(str(details.get("workflow_id", ""))).items():
        line.setdefault(name, value)
    return line


def _most_exact_id(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """For people: an attempt's id begins with its video's, and that with its order's."""
    if "attempt_id" in line:
        line.pop("video_id", None)
    if "attempt_id" in line or "video_id" in line:
        line.pop("order_id", None)
    return line


def _final_processors(log_format: LogFormat) -> list[Processor]:
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if log_format == "json":
        return [
            without_meta,
            structlog.processors.format_exc_info,  # not as a dict: that shows local variables
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    colours = log_format == "auto" and sys.stderr.isatty()
    plain = structlog.dev.plain_traceback
    return [
        without_meta,
        _most_exact_id,
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain),
    ]
