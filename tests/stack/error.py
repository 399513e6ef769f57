"""What goes wrong with the stack, in words for the person at the terminal."""

from __future__ import annotations


class StackError(Exception):
    """A server of the stack cannot be downloaded, started or stopped; the message says what to do."""
