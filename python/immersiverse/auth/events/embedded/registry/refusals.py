"""The ways in which the registry says no, under the codes that Confluent's clients know.

Source: Confluent Schema Registry API reference, the errors of each resource.
"""

from __future__ import annotations


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
    """The subject has no version, or none that is not deleted."""
    return Refusal(40401, f"Subject '{subject}' not found.")


def version_not_found(version: object) -> Refusal:
    """The subject lacks this version."""
    return Refusal(40402, f"Version {version} not found.")


def schema_not_found(what: object = "") -> Refusal:
    """No such id or GUID, or the subject does not hold this schema."""
    return Refusal(40403, f"Schema {what} not found" if what else "Schema not found")


def subject_soft_deleted(subject: str) -> Refusal:
    """A second soft delete."""
    return Refusal(40404, f"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently")


def subject_not_soft_deleted(subject: str) -> Refusal:
    """A permanent delete before a soft one."""
    return Refusal(40405, f"Subject '{subject}' was not deleted first before being permanently deleted")


def version_soft_deleted(subject: str, version: int) -> Refusal:
    """A second soft delete of one version."""
    return Refusal(
        40406,
        f"Subject '{subject}' Version {version} was soft deleted. Set permanent=true to delete permanently",
    )


def version_not_soft_deleted(subject: str, version: int) -> Refusal:
    """A permanent delete of one version before a soft one."""
    return Refusal(
        40407,
        f"Subject '{subject}' Version {version} was not deleted first before being permanently deleted",
    )


def no_subject_level(subject: str) -> Refusal:
    """The subject follows the global compatibility level."""
    return Refusal(40408, f"Subject '{subject}' does not have subject-level compatibility configured")


def no_subject_mode(subject: str) -> Refusal:
    """The subject follows the global mode."""
    return Refusal(40409, f"Subject '{subject}' does not have subject-level mode configured")


def incompatible(subject: str, details: str) -> Refusal:
    """The subject's level forbids this schema."""
    return Refusal(
        409,
        "Schema being registered is incompatible with an earlier schema "
        f'for subject "{subject}", details: [{details}]',
    )


def invalid_schema(details: str) -> Refusal:
    """The schema cannot be understood, or a reference leads nowhere."""
    return Refusal(42201, f"Invalid schema: {details}")


def invalid_version(version: str) -> Refusal:
    """The version in the path is not a version."""
    return Refusal(
        42202,
        f"The specified version '{version}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    )


def invalid_level(level: object, known: str) -> Refusal:
    """The compatibility level is none of the seven."""
    return Refusal(42203, f"Invalid compatibility level {level!r}. Valid values are {known}")


def invalid_mode(mode: object, known: str) -> Refusal:
    """The mode is unknown."""
    return Refusal(42204, f"Invalid mode {mode!r}. Valid values are {known}")


def not_permitted(reason: str) -> Refusal:
    """The mode forbids it."""
    return Refusal(42205, reason)


def reference_exists(subject: str, version: int) -> Refusal:
    """Another schema imports this one."""
    return Refusal(42206, f"One or more references exist to subject '{subject}' version {version}")


def invalid_subject(subject: str) -> Refusal:
    """The subject's name is empty or unprintable."""
    return Refusal(42208, f"The specified subject {subject!r} is not a valid subject")
