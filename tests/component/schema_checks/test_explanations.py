"""The explanation of each kind of change, and what the comparison costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_package_loads_neither_avro_nor_a_registry_client():
    code = (
        "import sys, immersiverse.auth.events.schema_checks.verdict;"
        "print(sorted({'fastavro', 'confluent_kafka', 'grpc_tools'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
