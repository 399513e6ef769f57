"""Loggers whose lines hold no control characters, whatever a message or an error says."""

from __future__ import annotations

import logging
import traceback

from immersiverse.auth.events.printable import printable


def get_logger(name: str) -> logging.Logger:
    """The logger of a module: texts, errors and tracebacks in its records are printable.

    Records keep their template, their numbers and their ``exc_info``, by which other tools group them.
    """
    logger = logging.getLogger(name)
    if not any(isinstance(each, _PrintableRecords) for each in logger.filters):
        logger.addFilter(_PrintableRecords())
    return logger


class _PrintableRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its arguments and its traceback escaped."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                printable(str(each)) if isinstance(each, str | BaseException) else each
                for each in record.args
            )
        if record.exc_info and record.exc_info[1] is not None:
            lines = traceback.format_exception(record.exc_info[1])
            record.exc_text = printable("".join(lines).rstrip("\n"), lines=True)  # what formatters then write
        return True
