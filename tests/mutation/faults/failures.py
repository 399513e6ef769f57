"""Failures that are retried wrongly, and dead letters that are lost or say too little."""

from __future__ import annotations

from mutation.fault import SCHEDULING, Fault

FAILURES = "kafka/consumer/failures.py"
CONFIG = "kafka/config.py"
DEAD_DEAD_LETTERING = "kafka/dead_letters.py"
RETRYING = (
    *SCHEDULING,
    "unit/kafka/test_subscriber.py",
    "component/kafka/test_schema_lookups.py",
)
DEAD_LETTERING = (
    "unit/kafka/test_dead_letter_headers.py",
    "unit/docs/test_dead_letter_topic.py",
    "component/kafka/test_dead_letters.py",
)

FAULTS = (
    Fault(
        "inbox-outage-is-a-failure-of-the-event", FAILURES,
        "return isinstance(self.error, InboxUnavailable)",
        "return False",
        RETRYING,
    ),
    Fault(
        "registry-outage-is-a-failure-of-the-event", FAILURES,
        "return isinstance(self.error, RegistryError) and not self.is_refused",
        "return False",
        RETRYING,
    ),
    Fault(
        "refused-schema-is-waited-for-without-end", FAILURES,
        "return isinstance(self.error, RegistryError) and not self.is_refused",
        "return isinstance(self.error, RegistryError)",
        RETRYING,
    ),
    Fault(
        "unreadable-record-is-retried", FAILURES,
        "return failure.is_unreadable or self._policy.retry.exhausted(item.failures)",
        "return self._policy.retry.exhausted(item.failures)",
        RETRYING,
    ),
    Fault(
        "fatal-error-is-dead-lettered", FAILURES,
        "        if failure.is_fatal(self._policy.fatal):\n            raise failure.error\n",
        "",
        RETRYING,
    ),
    Fault(
        "wrong-setting-is-dead-lettered", FAILURES,
        "(*kinds, MissingExtra, ConfigurationError)",
        "kinds",
        RETRYING,
    ),
    Fault(
        "dead-letter-is-not-awaited-before-the-commit", FAILURES,
        "is_whole = await self._dead_letters.send(item.record, failure.error, attempts)",
        "is_whole = bool(asyncio.ensure_future("
        "self._dead_letters.send(item.record, failure.error, attempts)))",
        RETRYING,
    ),
    Fault(
        "revoked-partition-does-not-wait-for-its-dead-letter", FAILURES,
        "        item.assignment.enter(item.record.offset())\n",
        "",
        RETRYING,
    ),
    Fault(
        "back-off-outlasts-the-release", "kafka/consumer/records.py",
        "await asyncio.wait_for(self.released.wait(), seconds)",
        "await asyncio.sleep(seconds)",
        RETRYING,
    ),
    Fault(
        "one-attempt-too-many", CONFIG,
        "return failures >= self.attempts",
        "return failures > self.attempts",
        ("unit/kafka/test_retry.py", *RETRYING),
    ),
    Fault(
        "delay-does-not-grow", CONFIG,
        "self.factor**exponent",
        "self.factor**0",
        ("unit/kafka/test_retry.py",),
    ),
    Fault(
        "jitter-makes-a-delay-longer", CONFIG,
        "(1 - self.jitter * random.random())",
        "(1 + self.jitter * random.random())",
        ("unit/kafka/test_retry.py",),
    ),
    Fault(
        "stack-trace-cut-at-the-wrong-end", DEAD_DEAD_LETTERING,
        "trace[-MAX_TEXT:]",
        "trace[:MAX_TEXT]",
        DEAD_LETTERING,
    ),
    Fault(
        "stack-trace-is-not-cut", DEAD_DEAD_LETTERING,
        "trace[-MAX_TEXT:]",
        "trace",
        DEAD_LETTERING,
    ),
    Fault(
        "forged-headers-survive-in-a-dead-letter", DEAD_DEAD_LETTERING,
        " if not header[0].startswith(PREFIX) and header[0] not in _OURS]",
        "]",
        DEAD_LETTERING,
    ),
    Fault(
        "redrives-are-not-counted-on", DEAD_DEAD_LETTERING,
        "return [(REDRIVES_HEADER, claims[0])] if plausible else []",
        "return []",
        DEAD_LETTERING,
    ),
    Fault(
        "absurd-count-of-redrives-is-believed", DEAD_DEAD_LETTERING,
        "claims[0].isdigit() and len(claims[0]) <= _MAX_COUNT",
        "claims[0].isdigit()",
        DEAD_LETTERING,
    ),
    Fault(
        "stub-is-a-tombstone", DEAD_DEAD_LETTERING,
        '        b"",\n        [*(own if size',
        "        None,\n        [*(own if size",
        DEAD_LETTERING,
    ),
    Fault(
        "dead-letters-of-dead-letters", DEAD_DEAD_LETTERING,
        "if record.topic() in (self._topic, catalog.DEAD_LETTER_TOPIC):",
        "if False:",
        DEAD_LETTERING,
    ),
    Fault(
        "refused-dead-letter-counts-as-sent", DEAD_DEAD_LETTERING,
        "            if refusal is None:\n",
        "            if refusal is None or refusal.retryable:\n",
        DEAD_LETTERING,
    ),
    Fault(
        "dead-letter-that-is-too-large-is-sent-again-without-end", DEAD_DEAD_LETTERING,
        "            if refusal is None or refusal.code not in _TOO_LARGE:\n",
        "            if True:\n",
        DEAD_LETTERING,
    ),
    Fault(
        "fatally-failed-producer-of-dead-letters-is-kept", DEAD_DEAD_LETTERING,
        "if not core.is_usable and core is self._core:",
        "if False:",
        DEAD_LETTERING,
    ),
)  # fmt: skip
