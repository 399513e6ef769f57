"""Any descriptor that text can say is the same schema after it was printed and parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from immersiverse.auth.events.protofile import canonical, parse_file, print_file, well_known

SCALARS = sorted(set(F.Type.values()) - {F.TYPE_MESSAGE, F.TYPE_ENUM, F.TYPE_GROUP})
KEYS = sorted(set(SCALARS) - {F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_BYTES})
WORDS = [
    "a",
    "b_c",
    "_d",
    "e_",
    "message",
    "option",
    "to",
    "stream",
    "optional",
    "X__y",
    "google",
    "max",
    "inf",
]
OPTIONS = parse_file(
    """
    syntax = "proto3";
    package p.q;
    import "google/protobuf/descriptor.proto";
    message Rule {
      string text = 1; bytes raw = 2; double real = 3; float single = 4; sint64 zigzag = 5;
      repeated fixed32 fixed = 6; Level level = 7; repeated Rule rules = 8; map<int32, string> table = 9;
      optional bool flag = 10; uint64 big = 11; Rule rule = 12;
    }
    enum Level { LEVEL_UNSPECIFIED = 0; LEVEL_HIGH = 1; LEVEL_BELOW = -1; }
    extend google.protobuf.FieldOptions {
      Rule rule = 50001; repeated string tags = 50002; optional double weight = 50003;
      repeated sfixed64 numbers = 50004; Level level = 50005; optional bytes raw = 50006;
      float single = 50007;
    }
    """,
    name="options.proto",
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
RANGES = {1: st.floats(), 2: st.floats(width=32), 8: st.booleans(), 9: text, 12: st.binary(max_size=5)}
RANGES |= dict.fromkeys([F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32], st.integers(-(2**31), 2**31 - 1))
RANGES |= dict.fromkeys([F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64], st.integers(-(2**63), 2**63 - 1))
RANGES |= dict.fromkeys([F.TYPE_UINT32, F.TYPE_FIXED32], st.integers(0, 2**32 - 1))
RANGES |= dict.fromkeys([F.TYPE_UINT64, F.TYPE_FIXED64], st.integers(0, 2**64 - 1))
RANGES[F.TYPE_ENUM] = st.sampled_from([0, 1, -1])


def _options_class():
    pool = DescriptorPool()
    pool.Add(well_known("google/protobuf/descriptor.proto"))
    pool.Add(OPTIONS)
    extensions = [pool.FindExtensionByName(f"p.q.{extension.name}") for extension in OPTIONS.extension]
    return GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FieldOptions")), extensions


FIELD_OPTIONS, EXTENSIONS = _options_class()


@st.composite
def custom_options(draw):
    """The bytes of field options with some of the extensions set."""
    options = FIELD_OPTIONS()
    for extension in draw(st.lists(st.sampled_from(EXTENSIONS), max_size=2, unique_by=id)):
        if extension.message_type is not None:
            _fill(draw, options.Extensions[extension], 2)
        elif extension.is_repeated if hasattr(extension, "is_repeated") else extension.label == 3:
            options.Extensions[extension].extend(draw(st.lists(RANGES[extension.type], max_size=3)))
        else:
            options.Extensions[extension] = draw(RANGES[extension.type])
    return options.SerializeToString(deterministic=True)


def _fill(draw, rule, depth):
    rule.SetInParent()
    for known in rule.DESCRIPTOR.fields:
        if known.name not in {"fixed", "rules", "table", "rule"} and draw(st.booleans()):
            setattr(rule, known.name, draw(RANGES[known.type]))
    rule.fixed.extend(draw(st.lists(RANGES[F.TYPE_FIXED32], max_size=2)))
    rule.table.update(draw(st.dictionaries(RANGES[F.TYPE_INT32], text, max_size=2)))
    if depth and draw(st.booleans()):
        _fill(draw, rule.rule, depth - 1)
        _fill(draw, rule.rules.add(), depth - 1)


@dataclass
class Names:
    """Names that are not used twice, and the types that fields can have."""

    messages: list[str] = field(default_factory=list)
    enums: list[str] = field(default_factory=list)
    number: count = field(default_factory=lambda: count(1))

    def new(self, draw):
        return f"{draw(st.sampled_from(WORDS))}{next(self.number)}"


@st.composite
def files(draw):
    """A file of proto2 or proto3."""
    file = FileDescriptorProto(package=draw(st.sampled_from(["", "p", "p.q", "p.r.p"])))
    if draw(st.booleans()):
        file.syntax = "proto3"
    file.dependency.append("options.proto")
    names = Names()
    scope = f".{file.package}" if file.package else ""
    todo = [_message(draw, file.message_type.add(), scope, names, 2) for _ in range(draw(st.integers(0, 3)))]
    for _ in range(draw(st.integers(0, 2))):
        _enum(draw, file.enum_type.add(), scope, names, file.syntax)
    for message, full_name in [pair for pairs in todo for pair in pairs]:
        _fields(draw, message, full_name, names, file.syntax)
    for _ in range(draw(st.integers(0, 2)) if names.messages else 0):
        _service(draw, file.service.add(name=names.new(draw)), names)
    return file


def _message(draw, message, scope, names, depth):
    message.name = names.new(draw)
    full_name = f"{scope}.{message.name}"
    names.messages.append(full_name)
    below = range(draw(st.integers(0, 2)) if depth else 0)
    nested = [_message(draw, message.nested_type.add(), full_name, names, depth - 1) for _ in below]
    return [(message, full_name), *(pair for pairs in nested for pair in pairs)]


def _enum(draw, enum, scope, names, syntax):
    enum.name = names.new(draw)
    if syntax == "proto2" or not syntax:
        names.enums.append(f"{scope}.{enum.name}")
    numbers = draw(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=4, unique=True))
    numbers = [0, *(n for n in numbers if n)]
    for number in numbers:
        enum.value.add(name=f"V{names.new(draw)}", number=number)


def _fields(draw, message, full_name, names, syntax):
    numbers = iter(draw(st.lists(st.integers(1, 18_999), max_size=6, unique=True)))
    optional = []
    for number in numbers:
        shape = draw(st.sampled_from(["plain", "plain", "repeated", "map", "oneof", "optional"]))
        known = message.field.add(name=names.new(draw), number=number, label=F.LABEL_OPTIONAL)
        if shape == "map":
            _map(draw, message, known, full_name, names)
        else:
            _type(draw, known, names)
        if shape == "repeated":
            known.label = F.LABEL_REPEATED
        elif shape == "oneof":
            known.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=names.new(draw))
        elif shape == "optional" and syntax == "proto3":
            optional.append(known)
        elif shape in {"plain", "optional"} and not syntax:
            known.label = draw(st.sampled_from([F.LABEL_OPTIONAL, F.LABEL_REQUIRED]))
            _default(draw, known)
        if draw(st.booleans()):
            known.options.MergeFromString(draw(custom_options()))
        if draw(st.booleans()):
            known.json_name = f"{draw(text)}{number}".replace("\0", "0")
    for known in optional:
        known.proto3_optional = True
        known.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{known.name}" if known.name[0] != "_" else known.name)
    _reserve(draw, message, names)


def _type(draw, known, names):
    choice = draw(st.sampled_from(["scalar", "scalar", "message", "enum"]))
    if choice == "enum" and names.enums:
        known.type, known.type_name = F.TYPE_ENUM, draw(st.sampled_from(names.enums))
    elif choice == "message":
        known.type, known.type_name = F.TYPE_MESSAGE, draw(st.sampled_from(names.messages))
    else:
        known.type = draw(st.sampled_from(SCALARS))


def _map(draw, message, known, full_name, names):
    entry_name = "".join(part[:1].upper() + part[1:] for part in known.name.split("_")) + "Entry"
    entry = message.nested_type.add(name=entry_name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL, type=draw(st.sampled_from(KEYS)))
    _type(draw, entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL), names)
    known.label, known.type, known.type_name = F.LABEL_REPEATED, F.TYPE_MESSAGE, f"{full_name}.{entry_name}"


def _default(draw, known):
    if known.type not in RANGES or known.type in {F.TYPE_ENUM, F.TYPE_BYTES} or draw(st.booleans()):
        return
    value = draw(RANGES[known.type])
    known.default_value = str(value).lower() if isinstance(value, bool) else str(value)


def _reserve(draw, message, names):
    starts = sorted(draw(st.lists(st.integers(20_000, 2**29 - 2), max_size=3, unique=True)))
    for start, after in zip(starts, [*starts[1:], 2**29], strict=bool(starts)):
        message.reserved_range.add(start=start, end=draw(st.sampled_from([start + 1, after])))
    message.reserved_name.extend(names.new(draw) for _ in range(draw(st.integers(0, 2))))


def _service(draw, service, names):
    for _ in range(draw(st.integers(0, 2))):
        method = service.method.add(name=names.new(draw))
        method.input_type, method.output_type = (draw(st.sampled_from(names.messages)) for _ in range(2))
        method.client_streaming, method.server_streaming = draw(st.booleans()), draw(st.booleans())
        if draw(st.booleans()):
            method.options.deprecated = draw(st.booleans())


@given(files())
def test_a_printed_descriptor_parses_to_the_same_schema(file):
    text = print_file(file, extensions=[OPTIONS])
    again = parse_file(text, dependencies={"options.proto": OPTIONS})
    assert canonical(again, extensions=[OPTIONS]) == canonical(file, extensions=[OPTIONS])
    assert print_file(again, extensions=[OPTIONS]) == text
