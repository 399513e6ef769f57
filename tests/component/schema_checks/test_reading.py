"""A version of the contract is read from a folder, file, commit, wheel or set; other input is refused."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from component.schema_checks.conftest import CONTRACT, OLD
from immersiverse.auth.events.errors import InvalidSchema
from immersiverse.auth.events.schema_checks.kinds import ChangeKind
from immersiverse.auth.events.schema_checks.sources import read
from immersiverse.auth.events.schema_checks.sources.contract import current_contract, installed_contract
from immersiverse.auth.events.schema_checks.verdict import judge

EVENTS = "immersiverse/auth/events/v1/events.proto"


def changes(old, new=None):
    return judge(new or installed_contract(), [old]).changes


@pytest.fixture
def descriptor_set(tmp_path):
    found = tmp_path / "contract.binpb"
    well_known = Path(protoc.__file__).parent / "_proto"
    asked = [f"-I{CONTRACT}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={found}", EVENTS]
    assert protoc.main(["protoc", *asked]) == 0
    return found


@pytest.fixture
def wheel(tmp_path):
    found = tmp_path / "contract-1.0-py3-none-any.whl"
    with zipfile.ZipFile(found, "w") as archive:
        for file in CONTRACT.rglob("*.proto"):
            archive.write(file, file.relative_to(CONTRACT).as_posix())
    return found


def test_a_tree_is_the_contract_that_was_compiled():
    assert changes(read(str(CONTRACT))) == ()


def test_a_checkout_is_read_through_its_folder_of_proto_files():
    assert changes(read(str(CONTRACT.parent))) == ()


def test_a_single_file_is_the_contract_that_was_compiled():
    assert changes(read(str(CONTRACT / EVENTS))) == ()


def test_a_descriptor_set_is_the_contract_that_was_compiled(descriptor_set):
    assert changes(read(str(descriptor_set))) == ()


def test_a_wheel_is_the_contract_that_was_compiled(wheel):
    assert changes(read(str(wheel))) == ()


def test_an_earlier_commit_is_read_without_a_checkout(git, shop):
    git("add", ".")
    git("commit", "-qm", "first")
    (shop / "shop.proto").write_text(OLD.replace("string item", "string thing"))
    found = judge(read("shop.proto"), [read("git#main", like=Path("shop.proto"))])
    assert {change.kind for change in found.refused} == {
        ChangeKind.FIELD_NAME_CHANGED,
        ChangeKind.FIELD_JSON_NAME_CHANGED,
    }
    assert judge(read("."), [read("git#HEAD")]).refused  # without a path: what stands where the repository is


def test_a_commit_can_be_asked_for_one_of_its_files(git, shop):
    (shop / "old").mkdir()
    (shop / "shop.proto").rename(shop / "old" / "shop.proto")
    git("add", ".")
    git("commit", "-qm", "first")
    assert changes(read("git#main:old/shop.proto"), read("old/shop.proto")) == ()


def test_a_shallow_clone_is_enough_for_the_commit_that_it_holds(git, shop, tmp_path_factory, monkeypatch):
    git("add", ".")
    git("commit", "-qm", "first")
    git("commit", "-qm", "second", "--allow-empty")
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "-q", "--depth", "1", f"file://{shop}", str(clone))
    monkeypatch.chdir(clone)
    assert changes(read("git#HEAD"), read("shop.proto")) == ()
    with pytest.raises(InvalidSchema, match=r"knows no commit 'HEAD~1' .* git fetch"):
        read("git#HEAD~1")


def test_a_branch_that_only_the_remote_has_is_found(git, shop, tmp_path_factory, monkeypatch):
    git("add", ".")
    git("commit", "-qm", "first")
    git("switch", "-qc", "feature")
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "-q", str(shop), str(clone))
    monkeypatch.chdir(clone)
    assert changes(read("git#main"), read("shop.proto")) == ()


def test_a_file_that_is_gone_takes_its_messages_with_it(tmp_path):
    shutil.copytree(CONTRACT, tmp_path / "new")
    (tmp_path / "extra" / "more").mkdir(parents=True)
    (tmp_path / "extra" / "more" / "one.proto").write_text('syntax = "proto3"; message One {}')
    (tmp_path / "extra" / "two.proto").write_text('syntax = "proto3"; message Two {}')
    new = tmp_path / "fewer"
    new.mkdir()
    (new / "two.proto").write_text('syntax = "proto3"; message Two {}')
    refused = judge(read(str(new)), [read(str(tmp_path / "extra"))]).refused
    assert {found.file for found in refused} == {"more/one.proto"}
    assert ("MESSAGE_REMOVED", "#/One") in {(found.kind, found.path) for found in refused}


def test_a_new_file_brings_its_messages(tmp_path):
    for place in ("old", "new"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "one.proto").write_text('syntax = "proto3"; message One {}')
    (tmp_path / "new" / "two.proto").write_text('syntax = "proto3"; package two; message Two {}')
    verdict = judge(read(str(tmp_path / "new")), [read(str(tmp_path / "old"))])
    assert verdict.compatible
    assert [(found.file, found.kind) for found in verdict.changes] == [("two.proto", "MESSAGE_ADDED")]


def test_a_place_without_proto_files_is_an_empty_version_to_those_who_allow_it(git, shop):
    assert judge(
        read("shop.proto"), [read("git#HEAD", allow_empty=True)]
    ).compatible  # a commit that is still to be made
    git("commit", "-qm", "first", "--allow-empty")
    assert read("git#HEAD", allow_empty=True).files == ()
    git("add", ".")
    git("commit", "-qm", "second")
    (shop / "shop.proto").unlink()
    refused = judge(read(".", allow_empty=True), [read("git#HEAD", allow_empty=True)]).refused
    assert ("MESSAGE_REMOVED", "#/Sold") in {(found.kind, found.path) for found in refused}
    for reference in ("git#mian", "git#", "nowhere"):
        with pytest.raises(InvalidSchema):
            read(reference, allow_empty=True)


def test_a_lone_file_stands_for_the_one_of_its_name(tmp_path):
    lone = tmp_path / "events.proto"
    lone.write_text((CONTRACT / EVENTS).read_text().replace("ACTOR_KIND_USER = 1", "ACTOR_KIND_USER = 9"))
    assert "#/ActorKind/1" in {found.path for found in judge(read(str(lone)), [installed_contract()]).refused}
    other = tmp_path / "other.proto"
    other.write_text('syntax = "proto3";')
    with pytest.raises(InvalidSchema, match=r"holds no file 'other\.proto'"):
        changes(read(str(other)))


def test_the_current_contract_is_that_of_the_checkout_around(tmp_path, monkeypatch):
    file = tmp_path / "proto" / EVENTS
    file.parent.mkdir(parents=True)
    shutil.copy(CONTRACT / EVENTS, file)
    monkeypatch.chdir(tmp_path / "proto")
    assert current_contract().label == "this checkout"
    monkeypatch.chdir("/")
    assert current_contract().label.startswith("immersiverse-auth-events ")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.proto"),
        (b"message Broken {", "broken.proto"),
        (b"\xff\xfe", "bytes.proto"),
        (b'syntax = "proto3"; import "itself.proto";', "itself.proto"),
        (b'syntax = "proto3"; message A { Missing m = 1; }', "missing.proto"),
        (b"", "empty.binpb"),
        (b"not a descriptor set", "text.binpb"),
        (b"PK\x03\x04 not a wheel", "broken.whl"),
        (FileDescriptorSet(file=[{}]).SerializeToString(), "nameless.binpb"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    if name == "empty.proto":  # an empty file is a valid one
        assert read(str(path)).files[0].root.name == name
        return
    with pytest.raises(InvalidSchema, match=name.partition(".")[0]):
        read(str(path))


@pytest.mark.usefixtures("git")
def test_what_is_not_there_is_refused(tmp_path, monkeypatch):
    for reference in (str(tmp_path / "nothing"), "git#", "git#main", "x" * 5_000, "git#--output=x"):
        with pytest.raises(InvalidSchema):
            read(reference)
    monkeypatch.chdir("/")
    with pytest.raises(InvalidSchema, match=r"git: .*not a git repository"):
        read("git#main")


def test_a_folder_without_proto_files_is_refused(tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.proto").write_text('syntax = "proto3";')
    with pytest.raises(InvalidSchema, match=r"holds no \.proto files"):
        read(str(tmp_path))
