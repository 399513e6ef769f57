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
    with pytest.raises(
        RegistryUnavailable, match=r"not a schema registry .*ccompat.* answers HTTP 404: .*Not Fo"
    ):
        registry.registered("auth.events.login-value")
    with pytest.raises(RegistryUnavailable, match="not a schema registry"):
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


PAGES = [
    "",
    "404 page not found",
    "<h1>Not Found</h1>",
    '{"message": "no Route matched with those values"}',
    '{"error_code": 404, "message": "HTTP 404 Not Found"}',
    '{"error_code": "40403", "message": "a code is a number"}',
    '{"error_code": true}',
    '["error_code", 40403]',
    "40403",
]


@pytest.mark.parametrize("status", [301, 302, 400, 404, 405, 410, 418, 422, 451])
@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_a_registrys_own_answer_is_an_outage_that_says_what_answered(answering, page, status):
    registry = answering(status, page)
    for ask in (
        lambda: registry.writer_schema(7),
        lambda: registry.schema_id("auth.events.login", "PROTOBUF"),
        lambda: registry.registered("auth.events.login-value"),
        lambda: registry.register("auth.events.login"),
    ):
        with pytest.raises(
            RegistryUnavailable, match=f"not a schema registry.* answers HTTP {status}"
        ) as away:
            ask()
        assert away.value.retryable


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_gateway_that_asks_for_credentials_refuses_no_single_schema(answering, status):
    with pytest.raises(RegistryRefused, match=rf"before the schema registry refuses.*HTTP {status}"):
        answering(status, "<h1>Log in</h1>").writer_schema(7)


def test_nothing_is_remembered_of_what_a_gateway_answers():
    """A route that is away for a while: its page, then the registry again."""
    route = []

    def answer(path, answering):
        if not route:
            answering.say("404 page not found", 404)
        elif path == "/schemas/ids/7":
            answering.say({"schema": '"string"'})
        else:
            answering.refuse(40403)

    with scripted(answer) as server, SchemaRegistry({"url": server.url, **IMPATIENT}) as registry:
        for schema_id in (7, 8):
            with pytest.raises(RegistryUnavailable):
                registry.writer_schema(schema_id)
        route.append("back")
        assert registry.writer_schema(7).text == '"string"'
        with pytest.raises(UnknownSchemaId):
            registry.writer_schema(8)


@pytest.mark.parametrize(
    "answer",
    ['{"id": 3}', "{}", '{"schema": null}', '{"schema": ""}', "[]", "5", "", '{"version": 1, "guid": "g"}'],
)
def test_an_answer_of_another_shape_is_an_outage_and_not_remembered(answer):
    answers = []

    def say(_, answering):
        answering.say(answers[-1])

    with scripted(say) as server, SchemaRegistry({"url": server.url, **IMPATIENT}) as registry:
        answers.append(answer)
        for ask in (
            lambda: registry.writer_schema(3),
            lambda: registry.schema_id("auth.events", "AVRO"),
            lambda: registry.registered("auth.events-value"),
        ):
            with pytest.raises(RegistryUnavailable, match="malformed"):
                ask()
        answers.append({"schema": '"string"', "id": 3, "version": 1, "subject": "s"})
        assert registry.writer_schema(3).text == '"string"'
        assert registry.schema_id("auth.events", "AVRO").number == 3
        assert registry.registered("auth.events-value").id == 3


def test_a_guid_that_is_none_is_malformed(answering):
    found = '{"id": 1, "version": 1, "subject": "s", "guid": "no guid", "schema": "\\"string\\""}'
    with pytest.raises(RegistryUnavailable, match="malformed"):
        answering(200, found).schema_id("auth.events", "AVRO")


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
