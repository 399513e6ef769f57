"""Whatever succeeds, fails, takes long, comes and goes: nothing is lost, skipped or reordered."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from immersiverse.auth.events.kafka.config import Retry
from immersiverse.auth.events.kafka.consumer.options import Policy
from immersiverse.auth.events.kafka.record import Record
from immersiverse.auth.events.kafka.workers import Workers
from scheduling import AT_ONCE, TOPIC, Stage, record

PARTITIONS = 2
NEVER = 99


@dataclass(frozen=True)
class Plan:
    """What will happen to one message: whose it is, how often it fails, how many turns each attempt takes."""

    user: int
    failures: int
    turns: int
    readable: bool

    @property
    def partition(self) -> int:
        """A user's events are in one partition."""
        return self.user % PARTITIONS

    @property
    def is_dead_lettered(self) -> bool:
        """Whether it must end among the dead letters."""
        return not self.readable or self.failures >= AT_ONCE.attempts


plans = st.builds(
    Plan,
    st.integers(0, 3),
    st.sampled_from([0, 0, 0, 1, 2, NEVER]),
    st.integers(0, 3),
    st.sampled_from([True] * 9 + [False]),
)
logs = st.lists(plans, max_size=30)
policies = st.builds(
    Policy,
    concurrency=st.integers(1, 4),
    retry=st.just(AT_ONCE),
    after_failure=st.sampled_from(["hold-back", "let-pass"]),
)
healthy_plans = st.builds(Plan, st.sampled_from([0, 2, 4]), st.just(0), st.integers(0, 6), st.just(True))
kinds = st.sampled_from(["plain", "async", "threads"])
shares = st.sampled_from([1, 2, 3, 500])  # unfinished events with which a partition is paused

Step = tuple[str, int, int]
steps = st.tuples(
    st.sampled_from(["fetch", "fetch", "turns", "commit", "unanswered", "drained", "lost"]),
    st.integers(0, PARTITIONS - 1),
    st.integers(1, 5),
)


@dataclass
class World:
    """The log, and a handler that does what was planned and remembers what was done."""

    log: list[Plan]
    records: list[Record] = field(default_factory=list)
    failed: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    tried: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    running: set[int] = field(default_factory=set)
    most: int = 0

    def __post_init__(self) -> None:
        for offset, plan in enumerate(self.log):
            value = b"" if plan.readable else b"nonsense"
            self.records.append(record(offset, f"u-{plan.user}", partition=plan.partition, value=value))

    def plain(self, _event: Any, payload: Any) -> None:
        """Handle in one step."""
        self._begin(int(payload.session_id))
        self._end(int(payload.session_id))

    async def waiting(self, _event: Any, payload: Any) -> None:
        """Handle in as many turns as planned."""
        offset = int(payload.session_id)
        self._begin(offset)
        try:
            for _ in range(self.log[offset].turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.running.discard(offset)
            raise
        self._end(offset)

    def _begin(self, offset: int) -> None:
        user = self.log[offset].user
        assert user not in {self.log[other].user for other in self.running}, (
            "one user's events ran side by side"
        )
        self.running.add(offset)
        self.most = max(self.most, len(self.running))
        self.tried[user].append(offset)

    def _end(self, offset: int) -> None:
        self.running.discard(offset)
        if self.failed[offset] < self.log[offset].failures:
            self.failed[offset] += 1
            raise OSError(offset)
        self.ended[offset] += 1

    def of(self, partition: int) -> list[int]:
        """The offsets of a partition."""
        return [offset for offset, plan in enumerate(self.log) if plan.partition == partition]


def staged(world: World, policy: Policy, kind: str, share: int) -> tuple[Stage, Workers | None]:
    workers = Workers(policy.concurrency) if kind == "threads" else None
    stage = Stage(world.waiting if kind == "async" else world.plain, policy, workers=workers, share=share)
    stage.scheduler.assign([(TOPIC, partition) for partition in range(PARTITIONS)])
    return stage, workers


def done_with(world: World, stage: Stage) -> set[int]:
    return {offset for offset, times in world.ended.items() if times} | set(stage.dead_letters.offsets)


def assert_commits_are_honest(world: World, stage: Stage) -> None:
    for partition, commit in stage.commits().items():
        assert {offset for offset in world.of(partition) if offset < commit} <= done_with(world, stage)


@given(
    log=logs,
    policy=policies,
    kind=kinds,
    share=shares,
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=6),
)
def test_each_message_ends_exactly_once_in_its_users_order(
    log: list[Plan], policy: Policy, kind: str, share: int, cuts: list[int]
) -> None:
    async def run() -> None:
        world = World(log)
        stage, workers = staged(world, policy, kind, share)
        rest, turn = list(world.records), 0
        while rest:
            batch, rest = rest[: cuts[turn % len(cuts)]], rest[cuts[turn % len(cuts)] :]
            stage.deliver(batch)
            for _ in range(cuts[turn % len(cuts)]):
                await asyncio.sleep(0)
                if kind != "threads":  # where a message ends shortly before it is reported
                    assert_commits_are_honest(world, stage)
            turn += 1
        await stage.finished(len(log))
        await asyncio.sleep(0)
        if workers:
            workers.close()
        handled = {offset for offset, plan in enumerate(log) if not plan.is_dead_lettered}
        assert world.ended == Counter(handled)
        assert Counter(stage.dead_letters.offsets) == Counter(set(range(len(log))) - handled)
        assert world.most <= policy.concurrency
        assert stage.scheduler.held == {}, "a partition stays paused"
        assert stage.scheduler.finished == len(log)
        if policy.after_failure == "hold-back":
            for offsets in world.tried.values():
                assert offsets == sorted(offsets), (
                    "a later event of a user was tried before an earlier one ended"
                )
        last = {
            partition: offsets[-1] + 1 for partition in range(PARTITIONS) if (offsets := world.of(partition))
        }
        assert {
            p: a.offsets.committable for (_, p), a in stage.scheduler._assignments.items() if p in last
        } == last

    asyncio.run(run())


class Broker:
    """A consumer group's view of the log: what is fetched and committed, while partitions come and go."""

    def __init__(self, world: World, stage: Stage) -> None:
        self._world = world
        self._stage = stage
        self.committed = dict.fromkeys(range(PARTITIONS), 0)
        self._fetched = dict.fromkeys(range(PARTITIONS), 0)
        self.handed = 0

    def fetch(self, partition: int, count: int) -> None:
        """Deliver the next messages of a partition."""
        batch = [o for o in self._world.of(partition) if o >= self._fetched[partition]][:count]
        if batch:
            self._fetched[partition] = batch[-1] + 1
            self.handed += len(batch)
            self._stage.deliver([self._world.records[offset] for offset in batch])

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit; what is committed has ended."""
        for (_, partition), offset in offsets.items():
            assert offset >= self.committed[partition], "a commit went back"
            before = {o for o in self._world.of(partition) if o < offset}
            assert before <= done_with(self._world, self._stage), "a commit passed what had not ended"
            self.committed[partition] = offset

    async def rebalance(self, partition: int, seconds: float) -> None:
        """Take a partition away, and give it back from where it was committed."""
        self.commit(await self._stage.release(partition, seconds))
        self._fetched[partition] = self.committed[partition]
        self._stage.scheduler.assign([(TOPIC, partition)])

    async def take(self, step: Step) -> None:
        """Do what was drawn."""
        kind, partition, count = step
        if kind == "fetch":
            self.fetch(partition, count)
        elif kind == "turns":
            for _ in range(count):
                await asyncio.sleep(0)
        elif kind == "commit":
            self.commit(self._stage.scheduler.take_commits())
        elif kind == "unanswered":  # sent, and not accepted before its partition goes
            self._stage.scheduler.take_commits()
        else:
            await self.rebalance(partition, 5 if kind == "drained" else 0)


@settings(max_examples=200)
@given(
    log=logs,
    policy=policies,
    kind=st.sampled_from(["plain", "async"]),
    share=shares,
    plan=st.lists(steps, max_size=25),
)
def test_partitions_that_come_and_go_lose_nothing_and_keep_each_users_order(
    log: list[Plan], policy: Policy, kind: str, share: int, plan: list[Step]
) -> None:
    async def run() -> None:
        world = World(log)
        stage, _ = staged(world, policy, kind, share)
        broker = Broker(world, stage)
        for step in plan:
            await broker.take(step)
        for partition in range(PARTITIONS):
            broker.fetch(partition, len(log))
        await stage.finished(broker.handed)
        await broker.take(("unanswered", 0, 1))
        for partition in range(PARTITIONS):
            broker.commit(await stage.release(partition, 5))
        assert done_with(world, stage) == set(range(len(log)))
        assert broker.committed == {p: max(world.of(p), default=-1) + 1 for p in range(PARTITIONS)}
        if policy.after_failure == "hold-back":
            for tried in world.tried.values():
                firsts = list(dict.fromkeys(tried))
                assert firsts == sorted(firsts), "a user's events were begun out of order"

    asyncio.run(run())


@settings(max_examples=200)
@given(
    log=st.lists(healthy_plans, min_size=10, max_size=40),
    concurrency=st.integers(2, 4),
    kind=st.sampled_from(["async", "threads"]),
    plan=st.lists(st.tuples(st.sampled_from(["fetch", "turns", "drained"]), st.just(0), st.integers(1, 9))),
)
def test_partitions_that_are_drained_in_time_repeat_nothing(
    log: list[Plan], concurrency: int, kind: str, plan: list[Step]
) -> None:
    async def run() -> None:
        world = World(log)
        stage, workers = staged(world, Policy(concurrency=concurrency, retry=AT_ONCE), kind, 500)
        broker = Broker(world, stage)
        for step in plan:
            await broker.take(step)
        for partition in range(PARTITIONS):
            broker.fetch(partition, len(log))
        await stage.finished(broker.handed)
        if workers:
            workers.close()
        assert world.ended == Counter(range(len(log)))

    asyncio.run(run())


@given(others=st.lists(st.integers(1, 9), min_size=1, max_size=40), kind=st.sampled_from(["plain", "async"]))
def test_users_of_other_partitions_go_on_while_one_user_fails_and_what_that_one_holds_is_counted(
    others: list[int], kind: str
) -> None:
    async def run() -> None:
        failing = [Plan(0, NEVER, 0, readable=True)] * 40
        world = World([*failing, *(Plan(2 * user + 1, 0, 1, readable=True) for user in others)])
        stage, _ = staged(world, Policy(concurrency=2, retry=Retry(first=60)), kind, share=4)
        stage.deliver(world.records)
        await stage.finished(len(others))
        assert sorted(world.ended) == list(range(len(failing), len(world.log)))
        assert stage.scheduler.held == {(TOPIC, 0): len(failing)}
        assert stage.scheduler.waiting == 0
        await stage.scheduler.close()

    asyncio.run(run())
