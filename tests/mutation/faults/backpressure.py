"""Work that starves, blocks or grows without limit."""

from __future__ import annotations

from mutation.fault import SCHEDULING, Fault

SCHEDULER = "kafka/consumer/scheduler.py"
QUEUES = "kafka/consumer/keyed_queues.py"
BACKPRESSURE = "kafka/consumer/backpressure.py"
POLLER = "kafka/consumer/poller.py"
TESTS = (*SCHEDULING, "component/kafka/test_backpressure.py")
RUNNING = (
    "component/kafka/test_commits.py",
    "component/kafka/test_running.py",
    "component/kafka/test_interruptions.py",
)

FAULTS = (
    Fault(
        "no-end-of-a-slice", SCHEDULER,
        "                if state.stopping or clock() > until:\n",
        "                if state.stopping:\n",
        (*TESTS, *RUNNING),
    ),
    Fault(
        "no-turn-for-the-event-loop", SCHEDULER,
        "                await asyncio.sleep(0)\n",
        "                pass\n",
        (*TESTS, *RUNNING),
    ),
    Fault(
        "stop-is-noticed-after-the-batch", SCHEDULER,
        "                if state.stopping or clock() > until:\n",
        "                if clock() > until:\n",
        (*TESTS, *RUNNING),
    ),
    Fault(
        "permit-kept-during-a-back-off", QUEUES,
        "            permit.release()\n            if await self._is_settled(item, failure):",
        "            if await self._is_settled(item, failure):",
        TESTS,
    ),
    Fault(
        "permit-kept-during-a-lookup", QUEUES,
        "            permit.release()  # others may be handled meanwhile\n",
        "",
        (*TESTS, "component/kafka/test_schema_lookups.py"),
    ),
    Fault(
        "freed-permit-wakes-no-one", QUEUES,
        "        self.free += 1\n        self._on_free()\n",
        "        self.free += 1\n",
        TESTS,
    ),
    Fault(
        "permit-lost-with-a-cancelled-task", QUEUES,
        "            if turn.done() and not turn.cancelled():  # it got the permit before it was cancelled\n"
        "                self.release()\n",
        "",
        TESTS,
    ),
    Fault(
        "no-limit-of-concurrency", QUEUES,
        "        self.free -= 1\n        return Permit(self, is_held=True)",
        "        return Permit(self, is_held=True)",
        TESTS,
    ),
    Fault(
        "no-limit-of-the-backlog", BACKPRESSURE,
        "        if in_flight < self._backlog:\n",
        "        if True:\n",
        TESTS,
    ),
    Fault(
        "pause-is-never-resumed", BACKPRESSURE,
        "        if in_flight <= self._backlog // 2:\n",
        "        if False:\n",
        TESTS,
    ),
    Fault(
        "assigned-partition-forgets-the-pause", BACKPRESSURE,
        "if self.assigned_anew or held.keys() != self._held:",
        "if held.keys() != self._held:",
        TESTS,
    ),
    Fault(
        "one-partition-takes-the-whole-backlog", SCHEDULER,
        "elif assignment.offsets.unfinished >= self._paused.share:",
        "elif False:",
        TESTS,
    ),
    Fault(
        "paused-partition-is-never-resumed", BACKPRESSURE,
        "if paused is None or paused.assignment.offsets.unfinished > self.share // 2:",
        "if True:",
        TESTS,
    ),
    Fault(
        "paused-records-are-lost", SCHEDULER,
        "            self._waiting.extend(batches)\n            self._wake.set()\n\n    def _abort_with",
        "            self._wake.set()\n\n    def _abort_with",
        TESTS,
    ),
    Fault(
        "records-of-a-paused-partition-overtake", SCHEDULER,
        "self._waiting.extend(batch for batch in batches if not self._paused.keeps(batch))",
        "self._waiting.extend(batches)",
        TESTS,
    ),
    Fault(
        "missing-right-to-read-is-only-logged", POLLER,
        "if error.fatal() or error.code() in _FATAL_CODES:",
        "if error.fatal():",
        RUNNING,
    ),
)  # fmt: skip
