"""Logs: JSON, one line a fact, to standard error. Nothing personal: no path, no body, no message of an exception.

A path can be the key to a credential, and an exception's text can quote a learner's name (the database does). So an
exception is written as the names of its types and the places it passed; libraries that log addresses are silenced.
"""

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

EventDict = MutableMapping[str, Any]
_TALKATIVE = ("httpx", "httpcore", "nats", "asyncio", "uvicorn.access", "markdown_it")


def configure(level: str, service: str = "") -> None:
    """Send structlog and stdlib logging to standard error as JSON lines at `level` (debug, info, warning, error)."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        exception_without_message,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_number(level))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, _number(level)))


def exception_without_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: `exc_info` becomes `error` (type names, outermost first) and `places` (file:line)."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error"] = chain_of(raised)
        event["places"] = places_of(raised.__traceback__)
    return event


def chain_of(raised: BaseException) -> list[str]:
    """The type names of an exception and of what caused it."""
    names: list[str] = []
    current: BaseException | None = raised
    while current is not None and len(names) < 10:
        names.append(type(current).__qualname__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return names


def places_of(traceback: TracebackType | None) -> list[str]:
    """`file:line function` of the innermost twelve frames."""
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = Path(code.co_filename)
        places.append(f"{file.parent.name}/{file.name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-12:]


def _named(service: str) -> Any:
    def add(_logger: object, _method: str, event: EventDict) -> EventDict:
        if service:
            event.setdefault("service", service)
        return event

    return add


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
