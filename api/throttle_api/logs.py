"""Log lines: structured, with the id of the request, and never with the text of a ticket or the value of a secret."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from asgi_correlation_id import correlation_id

from throttle_api.settings import Settings


def configure(settings: Settings) -> None:
    """For this process: our lines and those of libraries, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _with_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = (
        structlog.processors.JSONRenderer() if settings.log == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(_Standard()),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_Standard())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_plain, last], foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))  # libraries: what is wrong only


class _Standard:
    """Standard error as it is when a line is written. Where nobody reads it any more, the service goes on."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def log(name: str = "throttle") -> Any:
    """A logger. Give it a short event and fields; texts of users are no fields."""
    return structlog.get_logger(name)


def place_of(problem: BaseException) -> dict[str, Any]:
    """An exception without its message, which may quote a ticket: its type, and where it came from."""
    frames = traceback.extract_tb(problem.__traceback__)[-6:]
    at = [f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno}" for f in frames]
    return {"exception": type(problem).__name__, "at": at}


def _with_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (id := correlation_id.get()) is not None:
        event["request"] = id
    return event


def _plain(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A line of a library: its message's template without arguments, and exceptions without their message."""
    record: logging.LogRecord | None = event.pop("_record", None)
    event.pop("_from_structlog", None)
    event.pop("exc_info", None)
    if record is not None:
        event["event"] = str(record.msg)[:200]
        event["logger"] = record.name
        if record.exc_info and record.exc_info[1]:
            event.update(place_of(record.exc_info[1]))
    return event
