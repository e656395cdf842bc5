"""Structured logs: one event a line, as JSON for machines or as text for people, on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

FORMATS = ("json", "text")


def set_up(form: str, stream: TextIO | None = None) -> None:
    """Send everything that is logged, by us and by libraries, to stderr in that form.

    A line holds its time (UTC), its level, who logs, the event and its facts. What our server
    says of a request is its route, status, milliseconds and caller, never what was said in it.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    end: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        # Its own structured tracebacks show the values of variables, and so what people wrote.
        end += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        colours = (stream or sys.stderr).isatty()
        plain = structlog.dev.plain_traceback
        end += [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=end)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("nightschool").setLevel(logging.INFO)
