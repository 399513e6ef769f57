"""What a relay says while it works: to hooks, to a tracer and to the log. Used by the relay's thread only."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from immersiverse.auth.events.kafka.instrumentation import HookDispatcher
from immersiverse.auth.events.logs import get_logger
from immersiverse.auth.events.observability.hooks import Durations, Relayed, RowSetAside, ShardsHeld
from immersiverse.auth.events.observability.tracing import RelayedMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from immersiverse.auth.events.errors import PublishError
    from immersiverse.auth.events.kafka.producer.delivery import Delivery
    from immersiverse.auth.events.observability.hooks import Hook
    from immersiverse.auth.events.observability.tracing import OutboxTracer
    from immersiverse.auth.events.outbox.database import Row

    _Sent = Sequence[tuple[Row, Delivery]]

_log = get_logger(__name__)
_PROGRESS_EVERY: Final = 60.0  # seconds
_NANOSECONDS: Final = 1_000_000_000


class RelayReport:
    """Reports for one relay.

    Args:
        relay: its name.
        outbox: the outbox's.
        hooks: what is notified.
        tracer: what follows each event.
    """

    def __init__(self, relay: str, outbox: str, hooks: Sequence[Hook], tracer: OutboxTracer | None) -> None:
        self._relay = relay
        self._outbox = outbox
        self._notify = HookDispatcher(hooks)
        self._tracer = tracer
        self._sent_at = 0.0
        self._held: frozenset[int] = frozenset()
        self._relayed = 0
        self._counted_since = time.monotonic()

    def sending(self) -> None:
        """Rows are about to be sent."""
        if self._tracer is not None:
            self._sent_at = time.time()

    def finished(self, sent: _Sent) -> None:
        """All of these rows were acknowledged or failed."""
        self._relayed += sum(delivery.error is None for _, delivery in sent)
        if self._notify:
            self._report_durations(sent)
        if self._tracer is not None:
            self._report_spans(sent, self._tracer)
        seconds = time.monotonic() - self._counted_since
        if self._relayed and seconds >= _PROGRESS_EVERY:
            _log.info("relayed %d events in %.0f s", self._relayed, seconds)
            self._relayed, self._counted_since = 0, time.monotonic()

    def refused(self, row: Row, error: PublishError) -> None:
        """A row was set aside."""
        _log.error("row %d is set aside: %s; see: auth-events outbox set-aside list", row.sequence, error)
        self._notify(RowSetAside(row.topic, error.code))

    def holds(self, shards: Iterable[int], *, is_lost: bool = False) -> None:
        """The relay holds these shards now.

        Args:
            shards: all that it holds.
            is_lost: whether another relay has taken those that it held.
        """
        held, had = frozenset(shards), self._held
        if held == had:
            return
        self._held = held
        given = len(had - held)
        released, lost = (0, given) if is_lost else (given, 0)
        _log.info("%s", _sentence(held - had, had - held, held, is_lost=is_lost))
        self._notify(ShardsHeld(self._relay, self._outbox, held, len(held - had), released, lost))

    def _report_durations(self, sent: _Sent) -> None:
        now = time.time()
        seconds = defaultdict[str, list[float]](list)
        for row, delivery in sent:
            if delivery.error is None and row.created:
                seconds[row.topic].append(max(0.0, now - row.created))
        for topic, each in seconds.items():
            durations = Durations()
            durations.extend(each)
            self._notify(Relayed(topic, durations))

    def _report_spans(self, sent: _Sent, tracer: OutboxTracer) -> None:
        sent_at = int(self._sent_at * _NANOSECONDS)
        for row, delivery in sent:
            if delivery.error is None:
                tracer.relayed(
                    RelayedMessage(
                        row.topic, delivery.partition, delivery.offset, len(row.value), row.headers, sent_at
                    )
                )


def _sentence(taken: frozenset[int], given: frozenset[int], held: frozenset[int], *, is_lost: bool) -> str:
    parts = [f"took shard {_list(taken)}"] if taken else []
    if given:
        parts.append(f"{'lost' if is_lost else 'released'} shard {_list(given)}")
    return f"{' and '.join(parts)}; holds {_list(held) or 'none'}"


def _list(shards: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(shards)))
