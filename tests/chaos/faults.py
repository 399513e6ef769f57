"""What can go wrong, and how it is put right again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from signal import SIGCONT, SIGSTOP

from chaos.stage import PARTITIONS, Stage
from chaos.story import TOPICS
from chaos.worker import Worker


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong.

    Attributes:
        kind: what it was.
        victim: whom it befell; nothing else befalls it until it is undone.
        seconds: how long it lasts.
        undo: puts it right.
    """

    kind: str
    victim: str
    seconds: float
    undo: Callable[[], None]


Strike = Callable[[Stage, Random, set[str]], Fault | None]
"""Does something bad to a process that is not among the busy; None if there is no such process."""


def kill_leader(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Kill the broker that leads some partition, and bring it back."""
    number = _free_leader(stage, random, busy)
    if number is None:
        return None
    server = stage.cluster.broker(number).server
    server.kill()
    return Fault("leader killed", "broker", random.uniform(1, 6), server.start)


def freeze_leader(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze a leader, until after the others have given it up or before."""
    number = _free_leader(stage, random, busy)
    if number is None:
        return None
    process = stage.cluster.broker(number).server.process_id
    process.signal(SIGSTOP)
    return Fault("leader frozen", "broker", random.uniform(1, 8), lambda: process.signal(SIGCONT))


def kill_publisher(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Kill the publisher; its next life goes on from its journal."""
    return _killed("publisher killed", stage.publisher, random, busy)


def kill_subscriber(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Kill a subscriber."""
    return _killed("subscriber killed", random.choice(stage.subscribers), random, busy)


def freeze_subscriber(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze a subscriber beyond its session, so that it wakes up with partitions that are not its own."""
    victim = random.choice(stage.subscribers)
    if victim.name in busy or not victim.is_running:
        return None
    victim.freeze()
    return Fault("subscriber frozen", victim.name, random.uniform(7, 10), victim.thaw)


def visit(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Let a second member join a group, and leave in order or by a kill: two rebalances."""
    guest = random.choice(stage.guests)
    if guest.name in busy or guest.is_running:
        return None
    guest.await_end(0)
    guest.start()
    leave = guest.kill if random.random() < 0.5 else guest.ask_to_stop
    return Fault("rebalance", guest.name, random.uniform(4, 9), leave)


def _free_leader(stage: Stage, random: Random, busy: set[str]) -> int | None:
    """A leader whose loss leaves two of three."""
    if "broker" in busy or not stage.brokers_are_back():
        return None
    number = stage.leader(random.choice(TOPICS), random.randrange(PARTITIONS))
    return number if number > 0 else None


def _killed(kind: str, victim: Worker, random: Random, busy: set[str]) -> Fault | None:
    if victim.name in busy or not victim.is_running:
        return None
    victim.kill()
    return Fault(kind, victim.name, random.uniform(0, 2), victim.start)
