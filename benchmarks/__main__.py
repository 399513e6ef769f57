"""scripts/benchmark: what to measure, and how to show it."""

from __future__ import annotations

import argparse
import json

from benchmarks.comparison import as_json, as_table
from benchmarks.measuring import measure


def main() -> None:
    """Measure what is asked for and print it."""
    arguments = _parser().parse_args()
    arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    serialization = kinds.add_parser(
        "serialization", help="serializers beside raw Protobuf, json_format and Confluent's"
    )
    serialization.add_argument("--json", action="store_true", help='print {"name": ratio} and nothing else')
    serialization.add_argument("--repeats", type=int, default=300, help="turns of each statement (300)")
    serialization.set_defaults(run=_serialization)
    kafka = kinds.add_parser(
        "kafka", help="publisher and subscriber beside raw loops and Confluent's classes"
    )
    kafka.add_argument("--json", action="store_true", help='print {"name": ratio} and nothing else')
    kafka.add_argument("--events", type=int, default=60_000, help="events of each turn (60,000)")
    kafka.add_argument("--rounds", type=int, default=5, help="turns of each way (5)")
    kafka.set_defaults(run=_kafka)
    endurance = kinds.add_parser("endurance", help="cost and memory over many events, each another one")
    endurance.add_argument("--events", type=int, default=10_000_000, help="how many (10,000,000)")
    endurance.set_defaults(run=_endurance)
    subscriber = kinds.add_parser("subscriber", help="cost and memory of many events through one subscriber")
    subscriber.add_argument("--events", type=int, default=10_000_000, help="how many (10,000,000)")
    subscriber.set_defaults(run=_subscriber)
    outbox = kinds.add_parser("outbox", help="the outbox and its relay, on servers of its own")
    outbox.add_argument("--json", action="store_true", help='print {"name": figure} and nothing else')
    outbox.add_argument("--events", type=int, default=500_000, help="rows to catch up on (500,000)")
    outbox.add_argument("--rounds", type=int, default=3, help="turns of each of two ways (3)")
    outbox.add_argument("--debezium", action="store_true", help="compare with Debezium, too")
    outbox.set_defaults(run=_outbox)
    return parser


def _serialization(arguments: argparse.Namespace) -> None:
    from benchmarks.serialization import COMPARISONS, STATEMENTS, subjects  # noqa: PLC0415 - loads Confluent's

    with subjects() as names:
        measured = measure(STATEMENTS, names, arguments.repeats)
    print((as_json if arguments.json else as_table)(measured, COMPARISONS))


def _kafka(arguments: argparse.Namespace) -> None:
    from benchmarks.kafka import COMPARISONS, measure  # noqa: PLC0415 - loads Confluent's

    measured = measure(arguments.events, arguments.rounds)
    print((as_json if arguments.json else as_table)(measured, COMPARISONS))


def _endurance(arguments: argparse.Namespace) -> None:
    from benchmarks.endurance import stages  # noqa: PLC0415 - its own thing

    done = 0
    for stage in stages(arguments.events):
        done += stage.events
        ratio = stage.microseconds / stage.reference
        cost = f"{stage.microseconds:6.2f} us each, {ratio:5.3f} x json_format"
        print(f"{done:12,} events {cost} {stage.resident:8.1f} MiB", flush=True)


def _subscriber(arguments: argparse.Namespace) -> None:
    from benchmarks.kafka_endurance import Stage, run  # noqa: PLC0415 - its own thing

    done = 0

    def report(stage: Stage) -> None:
        nonlocal done
        done += stage.events
        cost = f"{stage.microseconds:6.2f} us CPU each, {stage.rate:9,.0f} events/s"
        print(f"{done:12,} events {cost} {stage.resident:8.1f} MiB", flush=True)

    run(arguments.events, report)


def _outbox(arguments: argparse.Namespace) -> None:
    from benchmarks.outbox import as_table, measure  # noqa: PLC0415 - loads SQLAlchemy

    figures = measure(arguments.events, arguments.rounds, with_debezium=arguments.debezium)
    print(
        json.dumps({name: round(figure, 3) for name, figure in figures.items()})
        if arguments.json
        else as_table(figures)
    )


if __name__ == "__main__":
    main()
