"""Structured logs on standard error: JSON lines for machines or plain text.

Never a value, a name of a secret, or a key: events carry codes, sizes, ids and times only (a test
greps for planted values).
"""

import logging
import sys

import structlog

from node.config import LogConfig


def configure_logs(config: LogConfig) -> None:
    """Set up structlog once, at the process's start."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if config.json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
