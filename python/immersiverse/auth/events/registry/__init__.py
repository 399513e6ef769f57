"""The only part that talks to a Schema Registry: subjects, references, ids, writers' schemas."""

from immersiverse.auth.events.registry.client import SchemaRegistry as SchemaRegistry
from immersiverse.auth.events.registry.registered import Registered as Registered
