"""What the README shows runs as it stands, against the embedded broker and registry."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
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


def test_the_consuming_example_prints_what_the_publishing_one_published():
    with EmbeddedStack() as stack:
        published: dict[str, object] = {}
        exec(example("Publish", stack), published)
        published["serializer"]._schemas.close()
        consumed: dict[str, object] = {}
        exec(example("Consume", stack).replace("subscriber.run()", ""), consumed)
        subscriber = consumed["subscriber"]
        assert isinstance(subscriber, Subscriber)
        with contextlib.redirect_stdout(Printed(stop=subscriber.stop)) as printed:
            subscriber.run()
        subscriber._deserializer._schemas.close()
    assert printed.getvalue().startswith(f"welcome, alice: {published['event'].event_id} of 20")


class Printed(io.StringIO):
    """What is printed, until the first line ends."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self._stop = stop

    def write(self, text: str) -> int:
        if "\n" in text:
            self._stop()
        return super().write(text)
