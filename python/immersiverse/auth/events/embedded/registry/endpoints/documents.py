"""Stored records as the JSON documents that clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.embedded.registry.schemas import written

if TYPE_CHECKING:
    from immersiverse.auth.events.embedded.registry.messages import Request
    from immersiverse.auth.events.embedded.registry.records import JSON, Content, Version
    from immersiverse.auth.events.embedded.registry.store import Store


def schema_text(store: Store, content: Content, request: Request) -> str:
    """The schema in the form that the request asks for."""
    return written(content, store, serialized=request.option("format") == "serialized")


def schema_document(store: Store, content: Content, request: Request) -> dict[str, JSON]:
    """A schema apart from any subject; what is empty, and Avro's type, are left out as by Confluent's."""
    document: dict[str, JSON] = {"schema": schema_text(store, content, request), "guid": content.guid}
    if content.schema_type != "AVRO":
        document["schemaType"] = content.schema_type
    if content.references:
        document["references"] = [reference.as_json() for reference in content.references]
    if content.metadata is not None:
        document["metadata"] = content.metadata
    if content.rule_set is not None:
        document["ruleSet"] = content.rule_set
    return document


def version_document(store: Store, version: Version, request: Request) -> dict[str, JSON]:
    """A subject's version with its schema."""
    document = {"subject": version.subject, "version": version.number, "id": version.schema_id}
    content = schema_document(store, store.content(version.schema_id), request)
    return document | content | ({"deleted": True} if version.deleted else {})


def place(version: Version) -> dict[str, JSON]:
    """A subject's version without its schema."""
    return {"subject": version.subject, "version": version.number}
