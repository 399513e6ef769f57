"""Events that are reported as published and are not, or whose failure stays unseen."""

from __future__ import annotations

from mutation.fault import SCHEDULING, Fault

CONFIG = "kafka/config.py"
CORE = "kafka/producer/core.py"
REPORTS = "kafka/producer/reports.py"
SERVING = "kafka/producer/serving.py"
DELIVERY = "kafka/producer/delivery.py"
ASYNC = "kafka/producer/async_publisher.py"
SETTINGS = ("unit/kafka/test_settings.py",)
REPORTING = ("unit/kafka/test_reports.py", "unit/kafka/test_delivery.py", "component/kafka/test_publisher.py")
ASKING = ("component/kafka/test_asking_for_ids.py",)

FAULTS = (
    Fault(
        "wrong-partitioner", CONFIG,
        '"partitioner": "murmur2_random",',
        '"partitioner": "consistent_random",',
        REPORTING,
    ),
    Fault(
        "foreign-partitioner-is-accepted", CONFIG,
        '("murmur2_random", "murmur2"),',
        '("murmur2_random", "murmur2", "random"),',
        SETTINGS,
    ),
    Fault(
        "leader-alone-acknowledges", CONFIG,
        '"acks": "all",',
        '"acks": "1",',
        SETTINGS,
    ),
    Fault(
        "weaker-acknowledgement-is-accepted", CONFIG,
        '"acks": (("all", "-1"),',
        '"acks": (("all", "-1", "1"),',
        SETTINGS,
    ),
    Fault(
        "several-requests-in-flight", CONFIG,
        '"max.in.flight.requests.per.connection": 1,',
        '"max.in.flight.requests.per.connection": 5,',
        SETTINGS,
    ),
    Fault(
        "no-idempotence", CONFIG,
        '"enable.idempotence": True,',
        '"enable.idempotence": False,',
        SETTINGS,
    ),
    Fault(
        "failure-counts-as-acknowledged", REPORTS,
        "        if error is not None:\n            failure = self.failure(delivery, error)\n        elif",
        "        if",
        REPORTING,
    ),
    Fault(
        "acknowledgement-without-proof-is-believed", REPORTS,
        "elif doubt := self._acknowledgements.doubt(delivery.topic, partition, offset):",
        'elif doubt := "":',
        REPORTING,
    ),
    Fault(
        "acknowledgement-of-an-earlier-offset-is-believed", REPORTS,
        "        if offset <= last:\n",
        "        if offset < last:\n",
        REPORTING,
    ),
    Fault(
        "failure-that-nothing-watches-is-forgotten", REPORTS,
        "        if count or pending:\n",
        "        if pending:\n",
        REPORTING,
    ),
    Fault(
        "unacknowledged-event-is-forgotten-at-close", REPORTS,
        "        if count or pending:\n",
        "        if count:\n",
        REPORTING,
    ),
    Fault(
        "flush-does-not-wait", SERVING,
        "while self._reports.has_work and (end is None or time.monotonic() < end):",
        "while False:",
        REPORTING,
    ),
    Fault(
        "flush-does-not-wait-in-a-loop", CORE,
        "while self._reports.has_work and (end is None or time.monotonic() < end):",
        "while False:",
        REPORTING,
    ),
    Fault(
        "full-queue-drops-an-event", CORE,
        "            self._pending.discard(delivery)\n            return False",
        "            self._pending.discard(delivery)\n            return True",
        REPORTING,
    ),
    Fault(
        "closed-publisher-takes-events", CORE,
        "        if self._refuses:\n            self._require",
        "        if False:\n            self._require",
        REPORTING,
    ),
    Fault(
        "event-sent-while-closing-is-never-settled", CORE,
        "            self._server.give_up()\n            if delivery.error is not None:",
        "            if delivery.error is not None:",
        REPORTING,
    ),
    Fault(
        "fatal-failure-hides-its-cause", REPORTS,
        "error = self._fatal or error  # what",
        "error = error  # what",
        REPORTING,
    ),
    Fault(
        "cancelled-wait-hides-a-failure", DELIVERY,
        "                self._stop_watching()\n                raise",
        "                raise",
        REPORTING,
    ),
    Fault(
        "wait-in-a-callback-never-ends", DELIVERY,
        'if refusal := self._refuse_to_wait or getattr(_here, "refusal", ""):',
        'if refusal := "":',
        REPORTING,
    ),
    Fault(
        "callback-that-raises-stops-the-others", DELIVERY,
        "            except BaseException:  # noqa: BLE001 - the caller's callback\n",
        "            except ValueError:  # the caller's callback\n",
        REPORTING,
    ),
    Fault(
        "child-of-a-fork-publishes", CORE,
        "self._forked = self._refuses = True",
        "self._forked = True",
        (*REPORTING, "component/kafka/test_unclosed_publisher.py"),
    ),
    Fault(
        "unclosed-publisher-loses-events", CORE,
        "        self._server.wait(_UNCLOSED)\n",
        "",
        ("component/kafka/test_unclosed_publisher.py",),
    ),
    Fault(
        "events-overtake-one-that-waits-for-its-id", ASYNC,
        "async with asyncio.timeout(self._registry_timeout), gate.lock:",
        "async with asyncio.timeout(self._registry_timeout):",
        ASKING,
    ),
    Fault(
        "type-counts-as-known-while-others-wait", ASYNC,
        "        if not gate.waiting:\n",
        "        if True:\n",
        ASKING,
    ),
    Fault(
        "registry-is-asked-without-end", "kafka/producer/publisher.py",
        "                if time.monotonic() + delay > until:\n",
        "                if False:\n",
        ASKING,
    ),
    Fault(
        "hook-that-raises-stops-the-work", "kafka/instrumentation.py",
        "            except Exception:  # noqa: BLE001 - a hook only watches",
        "            except ValueError:  # a hook only watches",
        (*REPORTING, "unit/observability/test_prometheus.py", *SCHEDULING),
    ),
)  # fmt: skip
