"""Lines of the log, whatever messages and errors say."""

from __future__ import annotations

import ast
import io
import logging
from pathlib import Path

import pytest

from immersiverse.auth.events.logs import get_logger

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\r\u202e"
PACKAGE = Path(__file__).parents[2] / "python" / "immersiverse" / "auth" / "events"


@pytest.fixture
def log():
    """A logger, and what it has written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = get_logger("tests.logs")
    logger.addHandler(handler)
    yield logger, written.getvalue
    logger.removeHandler(handler)


def test_texts_errors_and_tracebacks_are_written_without_control_characters(log):
    logger, written = log
    error = ValueError(EVIL)
    error.__cause__ = KeyError(EVIL)
    logger.error("%s: %s, %d times", EVIL, error, 3, exc_info=error)
    assert not {"\x1b", "\x07", "\x9b", "\x7f", "\r", "\u202e"} & set(written())
    assert "3 times" in written()
    assert written().count("\n") > 3  # a traceback keeps its lines
    assert "\\u001b]0;owned" in written()


def test_a_record_keeps_its_template_numbers_and_error(log):
    logger, _ = log
    records = []
    logger.addFilter(lambda record: records.append(record) or True)
    error = ValueError("x")
    logger.error("%s %.1f", "text", 1.5, exc_info=error)
    assert (records[0].msg, records[0].args) == ("%s %.1f", ("text", 1.5))
    assert records[0].exc_info[1] is error
    logger.filters.pop()


def test_a_logger_has_its_filter_once():
    assert len(get_logger("tests.once").filters) == len(get_logger("tests.once").filters) == 1


def test_every_module_logs_by_it():
    for file in PACKAGE.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        named = [call for call in calls if getattr(call.func, "attr", "") == "getLogger"]
        of_module = [call for call in named if getattr(call.args[0], "id", "") in {"__name__", "name"}]
        assert file.name == "logs.py" or not of_module, file
