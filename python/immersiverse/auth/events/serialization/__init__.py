"""Bytes to events and back, without any I/O: framing, formats, detection."""
