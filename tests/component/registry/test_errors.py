"""Whatever prevents a registry's response is an error of the tree that says what to do about it."""

from __future__ import annotations

import contextlib

import pytest

from immersiverse.auth.events.errors import RegistryRefused, RegistryUnavailable, UnknownSchemaId
from immersiverse.auth.events.registry import SchemaRegistry
from scripted_registry import scripted

IMPATIENT = {"max.retries": 0, "timeout": 5}


@pytest.fixture
def answering():
    """A registry at a web server that answers everything with the same status and page."""
    with contextlib.ExitStack() as stack:

        def start(status, page):
            server = stack.enter_context(scripted(lambda _, answer: answer.say(page, status)))
            return stack.enter_context(SchemaRegistry({"url": server.url, **IMPATIENT}))

        yield start


def test_a_404_page_is_not_an_empty_registry(answering):
    registry = answering(404, "<h1>Not Found</h1>")
    with pytest.raises(RegistryRefused, match=r"not a schema registry .*ccompat.* \(HTTP 404"):
        registry.registered("auth.events.login-value")
    with pytest.raises(RegistryRefused, match="not a schema registry"):
        registry.inspect("auth.events.login-value", "PROTOBUF").versions()


def test_a_web_page_is_reported_as_not_a_registry(answering):
    with pytest.raises(RegistryUnavailable, match=r"not a schema registry .* is not JSON"):
        answering(200, "<h1>Welcome</h1>").registered("auth.events.login-value")


def test_an_id_that_the_registry_does_not_hold_is_unknown(answering):
    """Anyone can write an id that does not exist, and must not hold up a consumer by it."""
    with pytest.raises(UnknownSchemaId):
        answering(404, '{"error_code": 40403, "message": "Schema 7 not found"}').writer_schema(7)


def test_an_id_that_no_registry_can_hold_is_not_requested(answering):
    with pytest.raises(UnknownSchemaId):
        answering(404, "").writer_schema(2**31)


@pytest.mark.parametrize("page", ["", "<h1>Not Found</h1>", '{"error_code": 404, "message": "no"}'])
def test_a_gateways_404_says_nothing_about_an_id(answering, page):
    with pytest.raises(RegistryRefused, match="not a schema registry"):
        answering(404, page).writer_schema(7)


def test_a_failing_gateway_is_retryable(answering):
    with pytest.raises(RegistryUnavailable, match=r"HTTP 502") as failed:
        answering(502, "<h1>Bad Gateway</h1>").registered("auth.events.login-value")
    assert failed.value.retryable


def test_an_unreachable_registry_is_named_by_its_url_without_the_password():
    with (
        SchemaRegistry({"url": "http://name:secret@127.0.0.1:9/apis/ccompat/v7", **IMPATIENT}) as registry,
        pytest.raises(RegistryUnavailable, match=r"\(http://127\.0\.0\.1:9/apis/ccompat/v7\)") as away,
    ):
        registry.registered("auth.events.login-value")
    assert "secret" not in str(away.value)
