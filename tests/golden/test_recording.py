"""A release is recorded once, and whatever happens to it afterwards is found."""

from __future__ import annotations

import json
import zipfile

import pytest

from golden.corpus.reading import misread
from golden.corpus.recording import NotRecorded, record
from golden.corpus.release import AVRO, EVENTS, SUMS, Release, releases
from immersiverse.auth.events.version import __version__


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """A folder with this version, recorded."""
    folder = tmp_path_factory.mktemp("golden")
    record(__version__, folder)
    return folder


@pytest.fixture
def release(golden):
    """That release; what a test does to it is undone."""
    found = Release(golden / __version__)
    kept = {path: path.read_bytes() for path in found.folder.rglob("*") if path.is_file()}
    yield found
    for path in found.folder.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)


def test_a_release_holds_its_corpus_its_contract_and_its_wheel(golden, release):
    assert [found.version for found in releases(golden)] == [__version__]
    assert list(release.cases())
    assert json.loads(release.schemas.avro)["name"] == "AuthEvent"
    assert "immersiverse/auth/events/v1/events.proto" in zipfile.ZipFile(release.wheel).namelist()
    assert release.faults() == []
    assert misread(release) == []


def test_a_release_is_recorded_once(golden):
    with pytest.raises(NotRecorded, match="never written again"):
        record(__version__, golden)


def test_only_the_version_at_hand_is_recorded(golden):
    with pytest.raises(NotRecorded, match=r"this is version .*, not 99\.0\.0"):
        record("99.0.0", golden)
    assert not (golden / "99.0.0").exists()


def test_an_edit_is_found(release):
    (release.folder / AVRO).write_text("{}")
    assert release.faults() == [f"{__version__}/{AVRO}: was edited"]


def test_a_file_that_came_or_went_is_found(release):
    (release.folder / EVENTS / "LoggedOut.json").unlink()
    (release.folder / EVENTS / "Extra.json").write_text("{}")
    assert release.faults() == [
        f"{__version__}/{EVENTS}/Extra.json: was added",
        f"{__version__}/{EVENTS}/LoggedOut.json: is missing",
    ]


def test_a_digest_that_was_taken_away_is_found(release):
    sums = release.folder / SUMS
    sums.write_text("".join(sums.read_text().splitlines(keepends=True)[1:]))
    assert [fault.partition(": ")[2] for fault in release.faults()] == ["was added"]


@pytest.mark.parametrize(
    ("form", "change", "said"),
    [
        ("json", lambda text: text.replace("LoggedOut", "LoggedIn"), "means something else"),
        ("protobuf", lambda text: text[:-2], "cannot be read"),
        ("avro", lambda text: text + "00", "cannot be read"),
        ("event", lambda event: {**event, "version": "7"}, "means something else"),
        ("event", lambda event: {**event, "colour": "red"}, "can no longer be said"),
    ],
)
def test_a_form_that_is_read_otherwise_is_found(release, form, change, said):
    path = release.folder / EVENTS / "LoggedOut.json"
    documents = json.loads(path.read_text())
    documents["full"][form] = change(documents["full"][form])
    path.write_text(json.dumps(documents))
    faults = misread(release)
    assert faults
    assert all("LoggedOut.json full" in fault and said in fault for fault in faults)


def test_releases_come_in_the_order_of_their_versions(tmp_path):
    for version in ("0.10.0", "0.9.0", "1.0.0", "0.9.1"):
        (tmp_path / version).mkdir()
        (tmp_path / version / SUMS).touch()
    (tmp_path / "corpus").mkdir()
    assert [release.version for release in releases(tmp_path)] == ["0.9.0", "0.9.1", "0.10.0", "1.0.0"]
