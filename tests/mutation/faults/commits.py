"""Offsets that are committed too early, too late or for the wrong owner."""

from __future__ import annotations

from mutation.fault import SCHEDULING, Fault

OFFSETS = "kafka/consumer/offsets.py"
RECORDS = "kafka/consumer/records.py"
POLLER = "kafka/consumer/poller.py"
SCHEDULER = "kafka/consumer/scheduler.py"
RETENTION = "kafka/consumer/retention.py"
TRACKING = ("unit/kafka/test_offsets.py", *SCHEDULING)
REBALANCING = (
    *TRACKING,
    "component/kafka/test_commits.py",
    "component/kafka/test_interruptions.py",
    "component/kafka/test_running.py",
)

FAULTS = (
    Fault(
        "commit-before-finish", OFFSETS,
        "return next(iter(self._unfinished), self.position)",
        "return self.position",
        TRACKING,
    ),
    Fault(
        "commit-passes-an-unfinished-offset", OFFSETS,
        "return next(iter(self._unfinished), self.position)",
        "return next(reversed(self._unfinished), self.position)",
        TRACKING,
    ),
    Fault(
        "commit-although-nothing-finished", OFFSETS,
        "None if offset in (-1, self._first) else offset",
        "None if offset == -1 else offset",
        TRACKING,
    ),
    Fault(
        "refused-commit-is-not-repeated", OFFSETS,
        'offer it again."""\n        self._taken = -1',
        'offer it again."""',
        TRACKING,
    ),
    Fault(
        "refusal-that-passes-counts-as-settled", OFFSETS,
        "if self._refusal not in _TRANSIENT | _OVER_AFTER_REJOINING:",
        "if self._refusal not in _TRANSIENT:",
        REBALANCING,
    ),
    Fault(
        "last-commit-is-tried-once", OFFSETS,
        "if self._refusal not in _TRANSIENT or time.monotonic() > until:",
        "if True:",
        REBALANCING,
    ),
    Fault(
        "commit-of-a-lost-partition", OFFSETS,
        "for partition, offset in requested.items() if partition in assigned}",
        "for partition, offset in requested.items()}",
        REBALANCING,
    ),
    Fault(
        "commit-of-a-revoked-partition-is-sent-late", OFFSETS,
        "cancelled[partition] = offsets.pop(partition)",
        "cancelled[partition] = offsets[partition]",
        REBALANCING,
    ),
    Fault(
        "stored-offset-stays-behind", OFFSETS,
        "        self._store(consumer, offsets)\n        if not self._stored:",
        "        if not self._stored:",
        REBALANCING,
    ),
    Fault(
        "drop-on-revoke", "kafka/consumer/keyed_queues.py",
        "assignment.abandon(offset)\n            self.finished += 1\n            return None",
        "self._finish(item)\n            return None",
        TRACKING,
    ),
    Fault(
        "revoked-partition-goes-on", SCHEDULER,
        "        for assignment in revoked.values():\n            assignment.release()\n"
        "        return revoked",
        "        return revoked",
        TRACKING,
    ),
    Fault(
        "lost-partition-goes-on", SCHEDULER,
        "            assignment.abandon(-1)\n\n    async def drained",
        "            pass\n\n    async def drained",
        TRACKING,
    ),
    Fault(
        "revoke-waits-for-no-handler", SCHEDULER,
        "await asyncio.gather(*(assignment.idle(seconds) for assignment in revoked.values()))",
        "await asyncio.sleep(0)",
        TRACKING,
    ),
    Fault(
        "revoke-commits-nothing", POLLER,
        "self._commits.commit_now(self._consumer, {p: offsets[p] for p in leaving if p in offsets})",
        "pass",
        REBALANCING,
    ),
    Fault(
        "fetched-before-revoke-counts-for-the-next-assignment", POLLER,
        "self._hand_over()  # what was fetched before must not seem to belong to a later assignment",
        "pass",
        REBALANCING,
    ),
    Fault(
        "stop-leaves-without-a-commit", POLLER,
        "        self._serve(is_settled, drained_by + _LAST_COMMIT)\n",
        "",
        REBALANCING,
    ),
    Fault(
        "stop-begins-events-that-wait", "kafka/consumer/keyed_queues.py",
        "        if self._state.stopping:\n            assignment.release()\n",
        "",
        REBALANCING,
    ),
    Fault(
        "event-behind-a-running-one-is-not-caught-up", RECORDS,
        "self._end = self.offsets.end_of_work(self._running)",
        "self._end = 0",
        TRACKING,
    ),
    Fault(
        "failed-event-is-tried-after-the-release", RECORDS,
        "return not self._abandoned and not has_failed and offset < self._end",
        "return not self._abandoned and offset < self._end",
        TRACKING,
    ),
    Fault(
        "librdkafka-stores-offsets-by-itself", "kafka/config.py",
        '"enable.auto.offset.store": False,',
        '"enable.auto.offset.store": True,',
        ("unit/kafka/test_settings.py", "unit/kafka/test_subscriber.py"),
    ),
    Fault(
        "unsafe-offset-store-is-accepted", "kafka/config.py",
        '"enable.auto.offset.store": (("false",),',
        '"enable.auto.offset.store": (("false", "true"),',
        ("unit/kafka/test_settings.py", "unit/kafka/test_subscriber.py"),
    ),
    Fault(
        "loss-by-retention-is-silent", RETENTION,
        "        if oldest <= start:\n",
        "        if oldest <= end:\n",
        ("unit/kafka/test_retention.py",),
    ),
    Fault(
        "gap-by-compaction-is-called-a-loss", RETENTION,
        "        if oldest <= start:\n",
        "        if oldest < start:\n",
        ("unit/kafka/test_retention.py",),
    ),
)  # fmt: skip
