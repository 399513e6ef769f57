"""auth-events replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immersiverse.auth.events.cli import replay_options as options
from immersiverse.auth.events.cli.confirmation import require_yes
from immersiverse.auth.events.cli.kafka_options import (
    BootstrapServers,
    KafkaFile,
    KafkaSettings,
    connected_cluster,
)
from immersiverse.auth.events.cli.output import console, warn, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from immersiverse.auth.events.operations.replay import Move


def replay(
    *,
    bootstrap_servers: BootstrapServers = None,
    config: KafkaSettings = None,
    config_file: KafkaFile = None,
    group: options.Group,
    topic: options.Topic,
    to_offset: options.ToOffset = None,
    to_timestamp: options.ToTimestamp = None,
    to_beginning: options.ToBeginning = False,
    to_end: options.ToEnd = False,
    partition: options.Partitions = None,
    new_group: options.NewGroup = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Let a consumer group read events again, or skip them. Its members must be stopped first.

    Shows partition by partition where the group stands and where it would read on, and asks.

    Exit codes: 0 done, 1 refused (no such group or topic, members still run, or you said no), 2 wrong use,
    3 no connection, 130 interrupted.
    """
    from immersiverse.auth.events.operations import rewind
    from immersiverse.auth.events.operations.replay import plan

    target = options.target_of(to_offset, to_timestamp, beginning=to_beginning, end=to_end)
    cluster = connected_cluster(bootstrap_servers, config, config_file)
    moves = plan(rewind.states(cluster, group, topic, target, frozenset(partition or ())), target)
    rewind.require_idle(cluster, group, may_be_new=new_group)
    _show(moves, group, as_json=as_json)
    if dry_run:
        return
    if all(move.current == move.target for move in moves):
        warn(f"the group {group} stands there already")
        return
    if not yes:
        require_yes(f"Set the offsets of {group}?")
    rewind.apply(cluster, group, moves)
    warn(f"the group {group} reads on as planned; start its members again")


def _show(moves: Sequence[Move], group: str, *, as_json: bool) -> None:
    from immersiverse.auth.events.cli import replay_view as view

    if as_json:
        write_json([view.document(move) for move in moves])
    else:
        console().print(view.table(moves))
    if all(move.current is None for move in moves):
        warn(f"the group {group} has committed nothing here so far: is this the topic that it reads?")
