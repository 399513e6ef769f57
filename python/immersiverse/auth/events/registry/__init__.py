"""The only part that talks to a Schema Registry: subjects, references, ids, writer schemas."""

from immersiverse.auth.events.registry.client import SchemaRegistry as SchemaRegistry
from immersiverse.auth.events.registry.contract import Registered as Registered
