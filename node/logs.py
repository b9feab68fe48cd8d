"""Structured logs on standard error: JSON lines for machines or plain text.

Never a value, a name of a secret, or a key: events carry codes, sizes, ids and times only (a test
greps for planted values). What libraries say comes as lines of the same form, by its kind: their
texts might hold what a client sent.
"""

import logging
import sys

import structlog

from node.config import LogConfig

_log = structlog.get_logger()


def configure_logs(config: LogConfig) -> None:
    """Set up structlog and the standard library's logging once, at the process's start."""
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
    root = logging.getLogger()
    root.handlers = [LibraryLines()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class LibraryLines(logging.Handler):
    """What libraries log, told in our form: who, which fixed text, which kind of exception."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line; the text is the first line before anything is formatted into it."""
        fault = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).partition("\n")[0]
        tell = _log.error if record.levelno >= logging.ERROR else _log.warning
        tell("library", logger=record.name, said=said[:200], fault=fault and type(fault).__name__)
