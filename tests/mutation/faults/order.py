"""Events of one user that are handled out of order, twice or not at all."""

from __future__ import annotations

from mutation.fault import SCHEDULING, Fault

SCHEDULER = "kafka/consumer/scheduler.py"
QUEUES = "kafka/consumer/keyed_queues.py"
INVOCATION = "kafka/consumer/invocation.py"
TESTS = (
    *SCHEDULING,
    "unit/kafka/test_handlers.py",
    "unit/kafka/test_subscriber.py",
    "component/kafka/test_schema_lookups.py",
)

FAULTS = (
    Fault(
        "key-order-lost", SCHEDULER,
        "if call is None or (by_key and record.key() in by_key):",
        "if call is None:",
        TESTS,
    ),
    Fault(
        "key-order-lost-behind-a-lookup", SCHEDULER,
        "elif item.key not in self._queues.by_key and not self._decoder.may_wait(record):",
        "elif not self._decoder.may_wait(record):",
        TESTS,
    ),
    Fault(
        "one-key-handled-side-by-side", QUEUES,
        "        queue = self.by_key.get(item.key)\n        if queue is None:\n            self._open(item,",
        "        queue = None\n        if queue is None:\n            self._open(item,",
        TESTS,
    ),
    Fault(
        "retry-out-of-order", QUEUES,
        "if self._lets_pass and not failure.is_outage:",
        "if not failure.is_outage:",
        TESTS,
    ),
    Fault(
        "outage-treated-as-let-pass", QUEUES,
        "if self._lets_pass and not failure.is_outage:",
        "if self._lets_pass:",
        TESTS,
    ),
    Fault(
        "let-pass-holds-later-events-up", QUEUES,
        "if self._lets_pass and not failure.is_outage:",
        "if False:",
        TESTS,
    ),
    Fault(
        "failed-event-handled-no-more", INVOCATION,
        "return Failure(record, error, event)",
        "continue",
        TESTS,
    ),
    Fault(
        "attempt-is-not-counted-for-the-handler", QUEUES,
        "ready = (event, field, item.record, item.failures + 1, invocation.call)",
        "ready = (event, field, item.record, 1, invocation.call)",
        TESTS,
    ),
    Fault(
        "event-changed-by-a-handler-is-used-again", QUEUES,
        "decoded, item.decoded = item.decoded or self._decoder.decode(item.record), None",
        "decoded = item.decoded = item.decoded or self._decoder.decode(item.record)",
        TESTS,
    ),
    Fault(
        "cancellation-counts-as-a-failure", INVOCATION,
        "if isinstance(error, asyncio.CancelledError) and _is_cancelled():",
        "if False:",
        TESTS,
    ),
    Fault(
        "duplicate-is-handled", INVOCATION,
        "return admission.verdict is Verdict.FRESH",
        "return True",
        ("unit/kafka/test_handlers.py", "unit/kafka/test_subscriber.py", *SCHEDULING),
    ),
    Fault(
        "unknown-type-is-skipped-where-it-must-not-be", "kafka/consumer/decoding.py",
        "        if self._refuses_unknown:\n",
        "        if False:\n",
        TESTS,
    ),
)  # fmt: skip
