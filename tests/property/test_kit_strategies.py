"""The testing kit's strategies and samples agree with what validation says, for every event type."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events import catalog
from immersiverse.auth.events.errors import InvalidEvent
from immersiverse.auth.events.events import new_event
from immersiverse.auth.events.testing.sampling import sample, sample_event
from immersiverse.auth.events.testing.strategies import invalid, valid
from immersiverse.auth.events.validation import validate

PAYLOADS = pytest.mark.parametrize("payload", catalog.BY_MESSAGE, ids=catalog.EVENT_TYPES)


@PAYLOADS
@given(data=st.data())
def test_what_is_valid_makes_an_event(payload: type[Message], data: st.DataObject) -> None:
    new_event(data.draw(valid(payload)), source="/tests")


@PAYLOADS
@given(data=st.data())
def test_what_is_invalid_is_refused_for_the_named_field(payload: type[Message], data: st.DataObject) -> None:
    damaged, field = data.draw(invalid(payload))
    with pytest.raises(InvalidEvent) as refused:
        validate(damaged)
    assert refused.value.field == field


@PAYLOADS
@given(seed=st.integers())
def test_a_sample_is_valid_whatever_its_seed_and_the_same_for_the_same_seed(
    payload: type[Message], seed: int
) -> None:
    made = sample(payload, seed=seed)
    validate(made)
    assert made == sample(payload, seed=seed)
    assert sample_event(payload, seed=seed) == sample_event(payload, seed=seed)
