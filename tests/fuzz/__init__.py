"""Seeded mutations of valid messages, in every format, against the deserializer."""
