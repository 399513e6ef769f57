"""What can go wrong, and how it is put right again."""

from __future__ import annotations

from random import Random
from signal import SIGCONT, SIGSTOP

from chaos.conductor import Fault, Strike
from chaos.machines import BROKERS, SMALL_DISK
from chaos.stage import PARTITIONS, Stage
from chaos.story import TOPICS
from chaos.worker import Worker

_LONGEST_JUMP = 1_800  # seconds; brokers refuse messages that are an hour ahead of their clock


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
    return killed("publisher killed", stage.publisher, random, busy)


def kill_subscriber(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Kill a subscriber."""
    return killed("subscriber killed", random.choice(stage.subscribers), random, busy)


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


def stop_registry(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Kill the registry: who comes to life meanwhile has to wait for it."""
    if "registry" in busy:
        return None
    server = stage.machines.registry.server
    server.kill()
    return Fault("registry away", "registry", random.uniform(1, 5), server.start)


def freeze_registry(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Freeze the registry: it takes requests and does not answer."""
    if "registry" in busy:
        return None
    process = stage.machines.registry.server.process_id
    process.signal(SIGSTOP)
    return Fault("registry frozen", "registry", random.uniform(1, 5), lambda: process.signal(SIGCONT))


def jump_clock(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Let a broker's time of day jump, forwards or back, and jump back later."""
    clocks, number = stage.machines.clocks, random.choice(BROKERS)
    victim = f"clock of broker {number}"
    if victim in busy or not clocks.environments:
        return None
    clocks.set(number, random.choice((-1, 1)) * random.randint(10, _LONGEST_JUMP))
    return Fault("clock jumped", victim, random.uniform(2, 10), lambda: clocks.set(number, 0))


def fill_disk(stage: Stage, random: Random, busy: set[str]) -> Fault | None:
    """Leave no room on a broker's disk: it gives up at its next write, and is started when there is room."""
    disk = stage.machines.disk
    if disk is None or "broker" in busy or not stage.brokers_are_back():
        return None
    disk.fill()
    server = stage.cluster.broker(SMALL_DISK).server

    def make_room() -> None:
        disk.clear()
        server.kill()  # it may be about to give up
        server.start()

    return Fault("disk full", "broker", random.uniform(3, 8), make_room)


def _free_leader(stage: Stage, random: Random, busy: set[str]) -> int | None:
    """A leader whose loss leaves two of three."""
    if "broker" in busy or not stage.brokers_are_back():
        return None
    number = stage.leader(random.choice(TOPICS), random.randrange(PARTITIONS))
    return number if number > 0 else None


def killed(kind: str, victim: Worker, random: Random, busy: set[str]) -> Fault | None:
    """Kill a worker, and start it again after a while."""
    if victim.name in busy or not victim.is_running:
        return None
    victim.kill()
    return Fault(kind, victim.name, random.uniform(0, 2), victim.start)


_KILLS: tuple[Strike[Stage], ...] = (kill_leader, kill_subscriber, kill_publisher)
ONCE: tuple[Strike[Stage], ...] = (*_KILLS, stop_registry, jump_clock, fill_disk)
"""Each happens in every run."""
_RARE: tuple[Strike[Stage], ...] = (
    *(freeze_leader, freeze_registry, freeze_subscriber),
    *(fill_disk, jump_clock, stop_registry, visit),
)
LATER: tuple[Strike[Stage], ...] = (*_KILLS, *_KILLS, *_RARE)
"""One of them happens after those."""
