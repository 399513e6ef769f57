"""Recorded releases: what each wrote, byte for byte, and the proof that every other version reads it."""
