"""Avro: the contract's schema, and events by it. Reading and writing need the extra ``avro`` (fastavro)."""

from immersiverse.auth.events.serialization.avro.codec import encoder as encoder
from immersiverse.auth.events.serialization.avro.codec import reader as reader
from immersiverse.auth.events.serialization.avro.schema import schema_text as schema_text
