"""What holds for the verdicts on any two schemas."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.compatibility_level import Direction, Level
from immersiverse.auth.events.schema_checks.kinds import Rules
from immersiverse.auth.events.schema_checks.protobuf.comparison import compare
from immersiverse.auth.events.schema_checks.verdict import refused_changes
from immersiverse.auth.events.schema_checks.version import ProtoSchema

TOP = ["Alpha", "Beta", "Gamma"]
NESTED = ["Inner", "Other"]
SCALARS = [
    number for number in FieldDescriptorProto.Type.values() if number not in (10, 11, 14)
]  # neither group, message nor enum
RULES = st.sampled_from(Rules)


@st.composite
def fields(draw, number, syntax):
    """One field of any type, in a oneof or with any label that its syntax knows."""
    field = FieldDescriptorProto(number=number, name=f"f{number}{draw(st.sampled_from(['', 'x']))}", label=1)
    field.type = draw(st.sampled_from([*SCALARS, 11, 14]))
    if field.type == 11:
        field.type_name = ".p." + draw(st.sampled_from([*TOP, "Alpha.Inner", "q.Gone"]))
    elif field.type == 14:
        field.type_name = draw(st.sampled_from([".p.Kind", ".p.Alpha.Kind"]))
    labels = [1, 3] if syntax == "proto3" else [1, 2, 3]
    if draw(st.booleans()):
        field.oneof_index = draw(st.integers(0, 1))
    else:
        field.label = draw(st.sampled_from(labels))
    return field


@st.composite
def messages(draw, name, syntax, depth=0):
    """A message with fields, two oneofs, reserved numbers and, at the top, nested types."""
    message = DescriptorProto(name=name)
    message.oneof_decl.add(name="one")
    message.oneof_decl.add(name="two")
    for number in draw(st.lists(st.integers(1, 6), unique=True)):
        message.field.append(draw(fields(number, syntax)))
    if draw(st.booleans()):
        message.reserved_range.add(start=7, end=draw(st.integers(8, 12)))
    if depth == 0:
        for inner in draw(st.lists(st.sampled_from(NESTED), unique=True)):
            message.nested_type.append(draw(messages(inner, syntax, 1)))
        message.enum_type.add(name="Kind").value.add(name="ZERO", number=0)
    return message


@st.composite
def schemas(draw):
    """A file of some messages and an enum."""
    syntax = draw(st.sampled_from(["proto2", "proto3"]))
    file = FileDescriptorProto(name="p.proto", package="p", syntax=syntax)
    for name in draw(st.lists(st.sampled_from(TOP), unique=True, min_size=1)):
        file.message_type.append(draw(messages(name, syntax)))
    kind = file.enum_type.add(name="Kind")
    for number in [0, *draw(st.lists(st.integers(1, 3), unique=True))]:
        kind.value.add(name=f"K{number}{draw(st.sampled_from(['', 'X']))}", number=number)
    return ProtoSchema(file)


def copied(schema):
    """An equal schema with one more import, so that equal messages are not skipped."""
    root = FileDescriptorProto.FromString(schema.root.SerializeToString())
    return ProtoSchema(root, {"unused.proto": FileDescriptorProto(name="unused.proto")})


def facts(changes):
    """Kind and place of each change, the oneof around a field left out."""
    return sorted((change.kind, place(change.path)) for change in changes)


def place(path):
    return "/".join(part for part in path.split("/") if part not in ("one", "two"))


@given(schemas(), RULES)
def test_a_schema_does_not_differ_from_itself(schema, rules):
    assert compare(schema, schema, rules=rules) == []
    assert compare(schema, copied(schema), rules=rules) == []


@given(schemas(), schemas(), RULES)
def test_looking_at_equal_messages_only_once_changes_nothing(old, new, rules):
    assert compare(old, new, rules=rules) == compare(old, copied(new), rules=rules)


@given(schemas(), schemas(), RULES)
def test_nothing_is_reported_twice(old, new, rules):
    changes = compare(old, new, rules=rules)
    assert len(set(changes)) == len(changes)


@given(schemas(), RULES, st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(schema, rules, random):
    shuffled = copied(schema)
    for message in shuffled.root.message_type:
        parts = list(message.field)
        random.shuffle(parts)
        del message.field[:]
        message.field.extend(parts)
    assert compare(schema, shuffled, rules=rules) == []


@given(schemas(), RULES, st.integers(0, 2))
def test_another_optional_field_breaks_no_reader(schema, rules, index):
    grown = copied(schema)
    messages = grown.root.message_type
    message = messages[index % len(messages)]
    message.field.add(name="grown", number=100, type=9, label=1)
    (change,) = compare(schema, grown, rules=rules)
    assert (change.kind, change.path, change.compatible) == ("FIELD_ADDED", f"#/{message.name}/100", True)
    for level in Level:
        assert refused_changes(grown, [schema], level=level, rules=rules) == []


@given(schemas(), schemas(), RULES)
def test_full_is_backward_and_forward(old, new, rules):
    levels = [Level.BACKWARD, Level.FORWARD, Level.FULL]
    backward, forward, full = (set(refused_changes(new, [old], level=level, rules=rules)) for level in levels)
    assert full == backward | forward


@given(st.lists(schemas(), max_size=3), schemas(), RULES)
def test_transitive_is_every_version_by_itself(history, new, rules):
    for level in (Level.BACKWARD, Level.FORWARD, Level.FULL):
        every = refused_changes(new, history, level=Level(f"{level}_TRANSITIVE"), rules=rules)
        for version, old in enumerate(history):
            alone = refused_changes(new, [old], level=level, rules=rules)
            found = [change for change in every if change.version == version]
            assert [(c.kind, c.path, c.old, c.new) for c in found] == [
                (c.kind, c.path, c.old, c.new) for c in alone
            ]


@given(schemas(), schemas())
def test_forward_is_backward_with_the_sides_exchanged(old, new):
    forward = refused_changes(new, [old], level=Level.FORWARD)
    backward = refused_changes(old, [new], level=Level.BACKWARD)
    assert [(c.kind, c.path, c.old, c.new) for c in forward] == [
        (c.kind, c.path, c.new, c.old) for c in backward
    ]
    assert {change.direction for change in forward} <= {Direction.FORWARD}


MIRRORED = {
    "MESSAGE_ADDED": "MESSAGE_REMOVED",
    "ENUM_CONST_ADDED": "ENUM_CONST_REMOVED",
    "ONEOF_ADDED": "ONEOF_REMOVED",
    "FIELD_ADDED": "FIELD_REMOVED",
    "REQUIRED_FIELD_ADDED": "REQUIRED_FIELD_REMOVED",
    **{
        kind: kind
        for kind in (
            "MESSAGE_MOVED",
            "ENUM_CONST_CHANGED",
            "FIELD_NAME_CHANGED",
            "FIELD_KIND_CHANGED",
            "FIELD_SCALAR_KIND_CHANGED",
            "FIELD_NAMED_TYPE_CHANGED",
            "FIELD_NUMERIC_LABEL_CHANGED",
            "FIELD_STRING_OR_BYTES_LABEL_CHANGED",
        )
    },
}


@given(schemas(), schemas())
def test_what_is_added_one_way_is_removed_the_other(old, new):
    ahead, back = compare(old, new), compare(new, old)
    for kind, mirror in MIRRORED.items():
        assert facts(c for c in ahead if c.kind == kind) == sorted(
            (kind, path) for _, path in facts(c for c in back if c.kind == mirror)
        )


@given(schemas(), schemas())
def test_strict_reports_and_refuses_all_that_confluent_does(old, new):
    confluent, strict = compare(old, new), compare(old, new, rules=Rules.STRICT)
    assert {(c.kind, c.path) for c in confluent} <= {(c.kind, c.path) for c in strict}
    assert {c for c in confluent if not c.compatible} <= {c for c in strict if not c.compatible}
