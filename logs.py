"""Log lines: readable on a terminal, JSON for machines, and never a secret."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Final, Literal

import structlog
from pydantic import SecretStr
from structlog.typing import Processor

HIDDEN: Final = "***"
_SECRET_CHARACTERS_MIN: Final = 6  # anything shorter would blot out ordinary words
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
        super().__init__(foreign_pre_chain=_shared_processors(), processors=processors)
        known = sorted((re.escape(secret) for secret in secrets), key=len, reverse=True)
        self._hidden = re.compile("|".join((*known, *_TOKEN_SHAPES)))

    def format(self, record: logging.LogRecord) -> str:
        return self._hidden.sub(HIDDEN, super().format(record))


def set_up_logging(log_format: LogFormat, secrets: Iterable[SecretStr]) -> None:
    """For structlog and for every library that uses `logging`. Writes to stderr."""
    values = [
        value for secret in secrets if len(value := secret.get_secret_value()) >= _SECRET_CHARACTERS_MIN
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_HidingFormatter(values, _final_processors(log_format)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


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
    return [without_meta, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
