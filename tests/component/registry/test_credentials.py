"""A registry's name and password reach the registry, and neither logs nor errors."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest

from immersiverse.auth.events import SchemaRegistry
from immersiverse.auth.events.errors import AuthEventsError, RegistryRefused
from scripted_registry import scripted

IMPATIENT = {"max.retries": 0, "timeout": 5}


def basic(user_info):
    return "Basic " + base64.b64encode(user_info.encode()).decode()


@pytest.fixture
def server():
    """Answers every question with a schema, and notes the credentials."""

    def answer(_, answering):
        server.credentials.append(answering.headers.get("Authorization"))
        answering.say({"schema": '"string"'})

    with scripted(answer) as server:
        server.credentials = []
        yield server


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("svc:S3cr3t", "svc:S3cr3t"),
        ("svc:S3%40cr%2F3t%25", "svc:S3@cr/3t%"),
        ("svc:with:colon", "svc:with:colon"),
        ("svc:S3cr3t@at", "svc:S3cr3t@at"),
        ("svc", "svc:"),
        ("svc:", "svc:"),
        (":S3cr3t", ":S3cr3t"),
    ],
)
def test_a_name_and_password_in_the_url_are_used_and_not_logged(server, caplog, written, meant):
    with (
        caplog.at_level(logging.DEBUG),
        SchemaRegistry({"url": server.url.replace("://", f"://{written}@"), **IMPATIENT}) as registry,
    ):
        registry.writer_schema(1)
    assert server.credentials == [basic(meant)]
    assert "/schemas/ids/1" in caplog.text
    assert f"{written}@" not in caplog.text
    assert "S3" not in caplog.text


def test_the_first_urls_name_and_password_hold_for_all_of_several(server, caplog):
    away = "http://svc:S3cr3t@127.0.0.1:9"
    with (
        caplog.at_level(logging.DEBUG),
        SchemaRegistry({"url": f"{away}, {server.url}", **IMPATIENT}) as registry,
    ):
        registry.writer_schema(1)
    assert server.credentials == [basic("svc:S3cr3t")]
    assert "S3cr3t" not in caplog.text


def test_a_setting_is_used_as_it_is(server):
    with SchemaRegistry({"url": server.url, "basic.auth.user.info": "svc:S3%40", **IMPATIENT}) as registry:
        registry.writer_schema(1)
    assert server.credentials == [basic("svc:S3%40")]


MALFORMED = [
    "svc:S3cr3t@host:8081",
    "svc:S3cr3t@host",
    "htps://svc:S3cr3t@host",
    "//svc:S3cr3t@host",
    "https//svc:S3cr3t@host",
    "https:/svc:S3cr3t@host",
    "https:///svc:S3cr3t@host",
    "https://svc:S3cr3t@",
    "https://svc:S3cr3t@host:port",
    "https://svc:S3cr3t/@host",
    "https://svc:12/S3cr3t@host",
    "https://svc:S3cr3t#@host",
    "https://svc:S3cr3t?@host",
    "https://svc:S3cr3t,@host",
    "https://svc:S3cr3t@[host",
    "http://svc:S3cr3t@host,svc:S3cr3t@other",
    "http://host,http://svc:S3cr3t@other",
    "http://svc:S3cr3t@host,http://svc:S3cr3t2@other",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_an_error_about_a_url_shows_no_password(caplog, url):
    with (
        caplog.at_level(logging.DEBUG),
        SchemaRegistry({"url": url, **IMPATIENT}) as registry,
        pytest.raises(RegistryRefused) as refused,
    ):
        registry.writer_schema(1)
    shown = "".join(traceback.format_exception(refused.value)) + repr(registry) + caplog.text
    assert "S3cr3t" not in shown.replace(repr(url), "")
    assert refused.value.status == 0


def test_an_invalid_url_is_named_without_an_http_status():
    with pytest.raises(RegistryRefused, match=r"not of the form http://HOST:PORT .*\)$"):
        SchemaRegistry("localhost:8081").registered("auth.events.login-value")


def test_a_name_and_password_in_two_places_are_refused(server):
    url = server.url.replace("://", "://svc:S3cr3t@")
    both = {"url": url, "basic.auth.user.info": "svc:0ther", **IMPATIENT}
    with SchemaRegistry(both) as registry, pytest.raises(RegistryRefused, match=r"basic\.auth") as refused:
        registry.writer_schema(1)
    assert "S3cr3t" not in str(refused.value)
    assert "0ther" not in str(refused.value)


@pytest.mark.parametrize(
    "setting",
    [
        {"proxy": "svc:S3cr3t@proxy:3128"},
        {"proxy": "ftp://svc:S3cr3t@proxy:3128"},
        {"basic.auth.user.info": "S3cr3t"},
        {"ssl.key.password": "S3cr3t"},
        {"bearer.auth.credentials.source": "S3cr3t"},
        {"basic.auth.password": "S3cr3t"},
    ],
)
def test_an_error_about_a_setting_shows_no_value(server, caplog, setting):
    with (
        caplog.at_level(logging.DEBUG),
        SchemaRegistry({"url": server.url, **IMPATIENT, **setting}) as registry,
        pytest.raises(AuthEventsError) as refused,
    ):
        registry.writer_schema(1)
    shown = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "S3cr3t" not in shown
