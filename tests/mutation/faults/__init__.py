"""The faults: each would lose, reorder or repeat events, or hide that it did."""

from __future__ import annotations

from mutation.faults import backpressure, commits, failures, order, producer

FAULTS = (*commits.FAULTS, *order.FAULTS, *failures.FAULTS, *backpressure.FAULTS, *producer.FAULTS)
