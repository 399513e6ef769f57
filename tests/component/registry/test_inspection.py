"""A subject's versions, level and verdicts, against the embedded registry."""

from __future__ import annotations

import pytest
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError

from immersiverse.auth.events.catalog import CONTRACT_FILE
from immersiverse.auth.events.compatibility_level import Level
from immersiverse.auth.events.errors import (
    ConfigurationError,
    RegistryRefused,
    SchemaNotRegistered,
    SubjectCollision,
)
from immersiverse.auth.events.registry import SchemaRegistry
from immersiverse.auth.events.registry.contract import FORMS, contract_schema
from immersiverse.auth.events.testing.registry import EmbeddedRegistry

LOGIN = "auth.events.login"
SUBJECT = f"{LOGIN}-value"
OTHER = Schema('syntax = "proto3"; package elsewhere; message Other { string user_id = 1; }', "PROTOBUF")


@pytest.fixture
def registry():
    with EmbeddedRegistry() as server, SchemaRegistry(server.url) as registry:
        yield registry


@pytest.fixture
def subject(registry):
    return registry.inspect(SUBJECT, "PROTOBUF")


def test_a_subject_that_does_not_exist_has_no_versions_and_the_registrys_level(registry, subject):
    assert subject.versions() == {}
    assert subject.find(contract_schema("PROTOBUF")) is None
    registry.client.set_compatibility(level="FULL")
    assert subject.level() is Level.FULL


def test_every_version_is_given_with_its_number(registry, subject):
    registry.client.register_schema(SUBJECT, OTHER)
    registry.client.set_compatibility(SUBJECT, "NONE")
    registry.register(LOGIN)
    versions = subject.versions()
    assert list(versions) == [1, 2]
    assert versions[1].file.package == "elsewhere"
    assert versions[2].file == CONTRACT_FILE
    registry.client.delete_version(SUBJECT, 1)
    assert list(subject.versions()) == [2]


@pytest.mark.parametrize("form", FORMS)
def test_the_version_of_the_contract_is_found_in_the_form_that_it_has(registry, subject, form):
    registered = registry.register(LOGIN, form=form)
    assert subject.find(contract_schema("PROTOBUF", form)) == registered


def test_a_schema_whose_imports_are_not_registered_is_not_found_and_has_no_verdict(registry, subject):
    registry.client.register_schema(SUBJECT, OTHER)
    assert subject.find(contract_schema("PROTOBUF")) is None
    assert subject.takes(contract_schema("PROTOBUF")) is None


def test_the_registrys_own_verdict_is_about_the_latest_version(registry, subject):
    registry.client.register_schema(SUBJECT, OTHER)
    registry.register("elsewhere")  # so that the file which the contract imports is registered
    assert subject.takes(contract_schema("PROTOBUF")) is False
    registry.client.set_compatibility(SUBJECT, "NONE")
    assert subject.takes(contract_schema("PROTOBUF")) is True


def test_a_subject_of_another_type_is_refused_by_name(registry, subject):
    registry.client.register_schema(SUBJECT, Schema('"string"', "AVRO"))
    with pytest.raises(SubjectCollision, match=r"holds AVRO schemas, so PROTOBUF"):
        subject.versions()


def test_a_type_that_the_contract_does_not_have_is_refused(registry):
    with pytest.raises(ConfigurationError, match="the contract has no JSON schema: use PROTOBUF or AVRO"):
        registry.inspect(SUBJECT, "JSON")


def test_the_level_none_of_a_subject_is_its_own_where_it_accepts_anything(registry, subject):
    registry.register(LOGIN)
    registry.client.set_compatibility(SUBJECT, "NONE")
    assert subject.level() is Level.NONE


def test_the_level_of_a_subject_goes_before_the_registrys(registry, subject):
    registry.register(LOGIN)
    registry.client.set_compatibility(level="FULL")
    assert subject.level() is Level.FULL
    registry.client.set_compatibility(SUBJECT, "FORWARD")
    assert subject.level() is Level.FORWARD


class Answering:
    """Confluent's real client with some responses replaced."""

    def __init__(self, client, **answers):
        self._client = client
        self.__dict__.update(answers)

    def __getattr__(self, name):
        return getattr(self._client, name)


@pytest.mark.parametrize("schema_type", ["PROTOBUF", "AVRO"])
def test_the_level_none_of_a_subject_that_refuses_is_the_registrys(registry, schema_type):
    """Apicurio answers it for every subject without a level of its own."""
    client = registry.client
    client.set_compatibility(level="FULL_TRANSITIVE")
    name = registry.register(LOGIN, schema_type).subject
    registry._connection._client = Answering(
        client, get_compatibility=lambda subject=None: "NONE" if subject else client.get_compatibility()
    )
    assert registry.inspect(name, schema_type).level() is Level.FULL_TRANSITIVE
    assert client.get_versions(name) == [1]


def test_an_unknown_level_is_named(registry, subject):
    registry._connection._client = Answering(registry.client, get_compatibility=lambda _: "SIDEWAYS")
    with pytest.raises(RegistryRefused, match=r"unknown compatibility level .*'SIDEWAYS'"):
        subject.level()


def test_a_version_that_disappears_is_not_an_empty_history(registry, subject):
    registry.register(LOGIN)

    def gone(*_, **__):
        raise SchemaRegistryError(404, 40402, "Version 1 not found.")

    registry._connection._client = Answering(registry.client, get_version=gone)
    with pytest.raises(SchemaNotRegistered):
        subject.versions()
