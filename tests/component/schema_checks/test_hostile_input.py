"""Any input that is given as a version ends in a verdict or in one clear line, soon."""

from __future__ import annotations

import json
import os
import zipfile

import pytest

from immersiverse.auth.events.cli.app import run
from immersiverse.auth.events.schema_checks.sources.files import MAX_TEXT

OLD = 'syntax = "proto3"; package a; message A { string a = 1; }'


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.proto").write_text(OLD)
    return tmp_path


def refused(capfd, new, against="old.proto"):
    """The one line that says why there is no verdict, which is in the JSON as well."""
    assert run(["schema", "check", new, "--against", against, "--json"]) == 2
    out, err = capfd.readouterr()
    assert err.count("\n") == 1
    document = json.loads(out)
    assert (document["compatible"], document["changes"]) == (None, [])
    assert err == f"auth-events: {document['error']}\n"
    return document["error"]


def test_a_file_too_large_to_be_a_schema_is_not_read(place, capfd):
    with (place / "huge.proto").open("wb") as file:
        file.truncate(MAX_TEXT + 1)
    assert "huge.proto is larger than 16 MB" in refused(capfd, "huge.proto")


def test_a_small_archive_does_not_unpack_to_a_large_file(place, capfd):
    with zipfile.ZipFile(place / "bomb.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.proto", bytes(MAX_TEXT + 1))
    assert refused(capfd, "bomb.whl") == "bomb.whl: a/b.proto is larger than 16 MB: no .proto file is"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "./x", "a//b", r"a\\b"])
def test_an_import_leads_nowhere_outside_the_version(place, capfd, path):
    (place / "in").mkdir()
    (place / "secret").write_text("hush")
    (place / "in" / "new.proto").write_text(f'syntax = "proto3"; import "{path}"; message A {{}}')
    said = refused(capfd, "in/new.proto")
    assert said.startswith("in/new.proto imports ")
    assert "hush" not in said


def test_files_that_import_each_other_are_named(place, capfd):
    (place / "circle").mkdir()
    (place / "circle" / "a.proto").write_text('syntax = "proto3"; import "b.proto"; message A { B b = 1; }')
    (place / "circle" / "b.proto").write_text('syntax = "proto3"; import "a.proto"; message B { A a = 1; }')
    said = refused(capfd, "circle")
    assert said.startswith("circle: ")
    assert "recursively imports itself: a.proto -> b.proto -> a.proto" in said


def test_which_of_two_versions_is_broken_is_said(place, capfd):
    for name in ("new", "old"):
        (place / name).mkdir()
        (place / name / "a.proto").write_text(OLD)
    (place / "old" / "a.proto").write_text("message {")
    assert refused(capfd, "new", "old").startswith("old: a.proto:1:9: ")
    assert refused(capfd, "new/a.proto", "old/a.proto").startswith("old/a.proto:1:9: ")


def test_links_that_lead_in_circles_are_passed_over(place, capfd):
    (place / "loop").mkdir()
    (place / "loop" / "a.proto").write_text(OLD)
    (place / "loop" / "itself").symlink_to(".")
    (place / "loop" / "x.proto").symlink_to("y.proto")
    (place / "loop" / "y.proto").symlink_to("x.proto")
    assert run(["schema", "check", "loop", "--against", "loop"]) == 0
    capfd.readouterr()
    assert refused(capfd, "loop/x.proto") == "loop/x.proto is neither a file nor a folder"


def test_a_pipe_is_not_waited_for(place, capfd):
    os.mkfifo(place / "pipe.proto")
    assert refused(capfd, "pipe.proto") == "pipe.proto is neither a file nor a folder"


def test_what_holds_no_schema_is_refused(place, capfd):
    (place / "empty").mkdir()
    (place / "bytes.proto").write_bytes(bytes(range(256)))
    (place / "bytes").write_bytes(bytes(range(256)))
    assert refused(capfd, "empty") == "empty holds no .proto files"
    assert refused(capfd, "old.proto", "empty") == "empty holds no .proto files"
    assert "is not a .proto file or folder" in refused(capfd, "bytes")
    assert "bytes.proto is not UTF-8" in refused(capfd, "bytes.proto")


@pytest.mark.usefixtures("place")
def test_a_failed_comparison_is_json_too(capfd):
    assert run(["schema", "diff", "nothing", "--against", "old.proto", "--json"]) == 2
    assert json.loads(capfd.readouterr().out) == {"error": "there is no file or folder nothing"}
