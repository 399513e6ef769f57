"""What a publisher's journal says: what it was about to publish, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from chaos.journal import Journal, read_journal
from chaos.story import Chapter, Stream


@dataclass(slots=True)
class Account:
    """The sum of a publisher's lives.

    Attributes:
        chapters: every event that it was about to publish, by id, in that order.
        acknowledged: the ids that a broker acknowledged.
        failed: the ids whose delivery failed at least once.
    """

    chapters: dict[str, Chapter] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def versions(self) -> dict[str, int]:
        """The last version of each user."""
        return {chapter.user: chapter.version for chapter in self.chapters.values()}

    def unknown(self) -> list[Chapter]:
        """The events that may or may not have arrived."""
        return [chapter for id, chapter in self.chapters.items() if id not in self.acknowledged]  # noqa: A001 - its name

    def to_repeat(self) -> list[Chapter]:
        """What the next life must publish first, so that each stream stays in order.

        Acknowledgements come in a stream's order, so what is unknown is the end of the stream. Publishing it
        again, in order and before anything new, leaves the order of first arrivals as it was meant, however
        much of it had arrived. An event that failed while a later one of its stream was acknowledged would
        come too late.
        """
        last = self._last_acknowledged()
        return [chapter for chapter in self.unknown() if chapter.version > last.get(chapter.stream, 0)]

    def _last_acknowledged(self) -> dict[Stream, int]:
        last: dict[Stream, int] = {}
        for event_id in self.acknowledged:
            chapter = self.chapters[event_id]
            last[chapter.stream] = max(chapter.version, last.get(chapter.stream, 0))
        return last


def about_to_publish(journal: Journal, chapter: Chapter) -> None:
    """Write down an event before it is published."""
    journal.write("P", chapter.event_id, chapter.user, chapter.version, chapter.micros)


def read_account(path: Path) -> Account:
    """The account of a journal."""
    account = Account()
    for line in read_journal(path):
        match line:
            case ["P", event_id, user, version, micros]:
                account.chapters[event_id] = Chapter(user, int(version), event_id, int(micros))
            case ["A", event_id] if event_id in account.chapters:
                account.acknowledged.add(event_id)
            case ["F", event_id, _] if event_id in account.chapters:
                account.failed.add(event_id)
    return account
