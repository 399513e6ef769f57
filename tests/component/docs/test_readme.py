"""What the README shows runs as it stands, against the embedded broker and registry."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from immersiverse.auth.events.kafka.consumer.subscriber import Subscriber
from immersiverse.auth.events.testing.stack import EmbeddedStack

README = (Path(__file__).parents[3] / "README.md").read_text()


def example(section: str, stack: EmbeddedStack) -> str:
    """The Python under a heading, with the addresses of a stack that runs."""
    code = re.search(rf"## {section}\n.*?```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    at_home = code[1].replace("http://localhost:8081", stack.registry_url)
    return at_home.replace("localhost:9092", stack.bootstrap)


def test_the_examples_are_ten_lines_each():
    for section in ("Publish", "Consume"):
        code = re.search(rf"## {section}\n.*?```python\n(.*?)```", README, re.DOTALL)
        assert code is not None
        assert sum(1 for line in code[1].splitlines() if line.strip()) <= 10


def test_the_publishing_example_publishes(recwarn: pytest.WarningsRecorder):
    with EmbeddedStack() as stack:
        scope: dict[str, object] = {}
        exec(example("Publish", stack), scope)
        assert scope["event"].user_created.username == "alice"
        scope["serializer"]._schemas.close()
    assert not [w for w in recwarn if issubclass(w.category, DeprecationWarning)]


def test_the_consuming_example_subscribes():
    with EmbeddedStack() as stack:
        code = example("Consume", stack).replace("subscriber.run()", "")
        scope: dict[str, object] = {}
        exec(code, scope)
        subscriber = scope["subscriber"]
        assert isinstance(subscriber, Subscriber)
        threading.Timer(1, subscriber.stop).start()
        subscriber.run()
