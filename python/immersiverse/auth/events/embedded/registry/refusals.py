"""The ways in which the registry says no, under the codes and in the words that tools know it by.

Source: Confluent Schema Registry API reference, the errors of each resource; confluentinc/schema-registry
8.3.0, ``Errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Refusal(Exception):
    """An answer with an error code; it never leaves the registry but as JSON.

    Attributes:
        code: Confluent's code; its first three digits are the HTTP status.
        message: for a person to read.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return int(str(self.code)[:3])


def subject_not_found(subject: str) -> Refusal:
    """The subject has no version, or none that is not deleted; or no level or mode to be unset."""
    return Refusal(40401, f"Subject '{subject}' not found.")


def version_not_found(version: int) -> Refusal:
    """The subject lacks this version."""
    return Refusal(40402, f"Version {version} not found.")


def schema_not_found(what: object = "") -> Refusal:
    """No such id or GUID, or the subject does not hold this schema."""
    return Refusal(40403, f"Schema {what} not found" if what else "Schema not found")


def subject_soft_deleted(subject: str) -> Refusal:
    """A second soft delete."""
    return Refusal(40404, f"Subject '{subject}' was soft deleted.{_FOR_GOOD}")


def subject_not_soft_deleted(subject: str) -> Refusal:
    """A permanent delete before a soft one."""
    return Refusal(40405, f"Subject '{subject}' was not deleted {_FIRST}")


def version_soft_deleted(subject: str, version: int) -> Refusal:
    """A second soft delete of one version."""
    return Refusal(40406, f"Subject '{subject}' Version {version} was soft deleted.{_FOR_GOOD}")


def version_not_soft_deleted(subject: str, version: int) -> Refusal:
    """A permanent delete of one version before a soft one."""
    return Refusal(40407, f"Subject '{subject}' Version {version} was not deleted {_FIRST}")


# No space between the sentences: so the registry has it.
_FOR_GOOD = "Set permanent=true to delete permanently"
_FIRST = "first before being permanently deleted"


def no_subject_level(subject: str) -> Refusal:
    """The subject follows the global compatibility level."""
    return Refusal(40408, f"Subject '{subject}' does not have subject-level compatibility configured")


def no_subject_mode(subject: str) -> Refusal:
    """The subject follows the global mode."""
    return Refusal(40409, f"Subject '{subject}' does not have subject-level mode configured")


def incompatible(subject: str, messages: Iterable[str]) -> Refusal:
    """The subject's level forbids this schema.

    The code is that of the API reference and of every release up to 7.9; releases since 8.0.4 answer 40901
    under the same status.
    """
    return Refusal(
        409,
        "Schema being registered is incompatible with an earlier schema "
        f'for subject "{subject}", details: [{", ".join(messages)}]',
    )


def invalid_schema(details: str) -> Refusal:
    """The schema cannot be understood, or a reference leads nowhere."""
    return Refusal(42201, details)


def invalid_schema_of(schema_type: str, details: str) -> Refusal:
    """The same, when it is known what kind of schema it should be."""
    return invalid_schema(f"Invalid schema of type {schema_type}, details: {details}")


def invalid_version(version: str) -> Refusal:
    """The version in the path is not a version."""
    return Refusal(
        42202,
        f"The specified version '{version}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    )


def invalid_level() -> Refusal:
    """The compatibility level is none of the seven."""
    return Refusal(
        42203,
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
        "forward_transitive, and full_transitive",
    )


def invalid_mode() -> Refusal:
    """The mode is unknown."""
    return Refusal(42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")


def no_forward_mode() -> Refusal:
    """The mode of a registry that follows another one, which is for its global context alone."""
    return Refusal(42204, "Forward mode only supported on global level")


def not_permitted(reason: str) -> Refusal:
    """The mode forbids it."""
    return Refusal(42205, reason)


def wrong_mode(subject: str | None, mode: str) -> Refusal:
    """The subject, or with None the whole registry, is or is not in this mode.

    Between the two spaces the registry names the context, which has no name if it is the default one.
    """
    return not_permitted(f"Subject {subject or 'null'} in context  is {mode} mode")


def reference_exists(subject: str, version: int) -> Refusal:
    """Another schema imports this one."""
    key = f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}"
    return Refusal(42206, f"One or more references exist to the schema {key}.")


def invalid_subject(subject: str) -> Refusal:
    """The subject's name is empty, reserved, or holds control characters."""
    return Refusal(42208, f"The specified subject '{subject}' is not a valid.")
