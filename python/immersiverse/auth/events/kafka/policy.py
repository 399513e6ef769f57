"""What a subscriber does when things go wrong, and how much it does at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from immersiverse.auth.events.errors import ConfigurationError
from immersiverse.auth.events.kafka.config import Retry, require_one_of

AfterFailure = Literal["hold-back", "let-pass"]
"""What becomes of later events of a key whose event has failed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a subscriber does when things go wrong.

    Attributes:
        concurrency: how many events may be handled at the same time, each of another key.
        retry: how often and how soon a failed handler is tried again.
        after_failure: ``hold-back`` keeps later events of the same key waiting until the failed one is done;
            ``let-pass`` handles them meanwhile.
        fatal: errors that stop the subscriber, with the event's offset uncommitted.

    Raises:
        ConfigurationError: if nothing may be handled at any time, or a word is none of those.
    """

    concurrency: int = 1
    retry: Retry = field(default_factory=Retry)
    after_failure: AfterFailure = "hold-back"
    fatal: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ConfigurationError("policy.concurrency", f"must be 1 or more, not {self.concurrency}")
        require_one_of("policy.after_failure", self.after_failure, AfterFailure)
