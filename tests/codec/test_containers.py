"""Lists, tuples, sets, dicts and records: what is taken, what is refused with which path."""

from __future__ import annotations

import collections
import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict
from uuid import UUID

import attrs
import msgspec
import pytest

from dynawire import Attr, DecodeError, Json, Model, SchemaError, Stored, ValidationError, attr, partition_key
from dynawire.codec.base import Codec
from dynawire.codec.resolve import Resolver
from dynawire.operations.mapped import mapped


def codec(annotation: Any) -> Codec:
    return Resolver().codec(annotation)


class EitherCase(enum.Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> EitherCase | None:
        return cls.RED if str(value).lower() == "red" else None


class Partial(TypedDict, total=False):
    always: Required[int]
    maybe: str | None


class Whole(TypedDict):
    a: int
    b: NotRequired[str]


class More(Whole, total=False):
    c: int


class Point(NamedTuple):
    x: float
    y: float = 1.5


class Renamed(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    first_name: str
    tag_set: set[str] = set()
    more: list[int] = msgspec.field(default_factory=lambda: [1], name="extra")


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: list[int] = dataclasses.field(default_factory=list)
    derived: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derived", self.a + 1)


@dataclasses.dataclass
class Base:
    a: int = 1


@dataclasses.dataclass(kw_only=True)
class Derived(Base):
    b: str


@dataclasses.dataclass(init=False)
class OwnInit:
    a: int
    b: str

    def __init__(self, both: tuple[int, str]) -> None:
        self.a, self.b = both


@dataclasses.dataclass
class WrittenInit:
    a: int

    def __init__(self, text: str) -> None:
        self.a = int(text)


@attrs.define
class Private:
    _secret: int
    count: int = attrs.field(default=3, validator=attrs.validators.ge(0))
    later: str = attrs.field(init=False, default="x")
    names: list[str] = attrs.Factory(list)


@attrs.frozen(init=False)
class AttrsOwnInit:
    a: int

    def __init__(self, text: str) -> None:
        self.__attrs_init__(int(text))


class Nested(Model):
    number: Attr[int]
    names: Attr[set[str]] = attr(default_factory=set)


Alias = NewType("Alias", int)

TAKEN: list[tuple[Any, Any, Any]] = [
    # type, value, what comes back when that is not the same value
    (list, [1, "x", None], None),
    (list[str | None], ["a", None, ""], None),
    (list[list[int]], [[], [1]], None),
    (Sequence[int], (1, 2), [1, 2]),
    (Sequence[int], [1, 2], None),
    (tuple, (), None),
    (tuple[()], (), None),
    (tuple[int, str], (1, "x"), None),
    (tuple[int, ...], (1, 2), None),
    (tuple[int | None, list[str]], (None, []), None),
    (set[int], {1, 10**37}, None),
    (set[bytes], {b"", b"x"}, None),
    (set[str], {"", "x"}, None),
    (set[UUID], {UUID(int=1)}, None),
    (set[date], {date(2020, 1, 1)}, None),
    (set[datetime], {datetime(2020, 1, 1, tzinfo=UTC)}, None),
    (frozenset[Decimal], frozenset({Decimal("1.5")}), None),
    (AbstractSet[int], frozenset({1}), {1}),
    (dict, {"a": [1, {"b": None}]}, None),
    (dict[str, int | None], {"a": None}, None),
    (dict[int, str], {1: "a", -(10**37): "b"}, None),
    (dict[float, str], {0.5: "a", 1e22: "b"}, None),
    (dict[Decimal, str], {Decimal("1.50"): "a"}, None),
    (dict[UUID, list[int]], {UUID(int=1): []}, None),
    (dict[date, int], {date(2020, 1, 1): 1}, None),
    (dict[Literal["a", "b"], int], {"a": 1}, None),
    (dict[int | float, int], {1: 1, 1.5: 2}, None),
    (Mapping[str, int], types.MappingProxyType({"a": 1}), {"a": 1}),
    (dict[str, int], collections.OrderedDict(a=1), {"a": 1}),
    (Alias, Alias(3), None),
    (list[Alias], [Alias(3)], None),
    (Partial, {"always": 1}, None),
    (Partial, {"always": 1, "maybe": None}, None),
    (More, {"a": 1, "c": 2}, None),
    (Point, Point(1.5), None),
    (Renamed, Renamed("x"), None),
    (Renamed, Renamed("x", {"a"}, []), None),
    (Frozen, Frozen(1, [2]), None),
    (Derived, Derived(b="x"), None),
    (OwnInit, OwnInit((1, "x")), None),
    (WrittenInit, WrittenInit("3"), None),
    (Private, Private(secret=1), None),
    (AttrsOwnInit, AttrsOwnInit("3"), None),
    (Nested, Nested(number=1), None),
    (Nested | str, Nested(number=1, names={"x"}), None),
    (list[Nested | None], [None, Nested(number=1)], None),
    (dict[str, Nested], {"a": Nested(number=1)}, None),
]


@pytest.mark.parametrize(("annotation", "value", "back"), TAKEN)
def test_taken(annotation: Any, value: Any, back: Any) -> None:
    one = codec(annotation)
    found = one.decode(one.encode(value))
    assert found == (value if back is None else back)
    if back is None and type(value) is not collections.OrderedDict:
        assert type(found) is type(value)


REFUSED: list[tuple[Any, Any, tuple[tuple[str, str], ...]]] = [
    (list[int], (1,), (("", "must be list[int], not tuple"),)),
    (list[int], [1, "x", True], (("[1]", "must be int, not str"), ("[2]", "must be int, not bool"))),
    (list[list[int]], [[1], ["x"]], (("[1][0]", "must be int, not str"),)),
    (Sequence[str], "abc", (("", "must be list[str], not str"),)),
    (tuple[int, str], (1,), (("", "must have exactly 2 elements, has 1"),)),
    (tuple[int, str], (1, 2), (("[1]", "must be str, not int"),)),
    (set[int], frozenset({1}), (("", "must be set[int], not frozenset"),)),
    (set[int], {1, "x"}, (("{}", "must be int, not str"),)),
    (dict[str, int], {"a": "x", "b": 1}, (("['a']", "must be int, not str"),)),
    (
        dict[str, int],
        {"": 1},
        (("", "has a key (number 1) that is empty; DynamoDB's maps have no member without a name"),),
    ),
    (dict[str, int], {"a": 1, 2: 2}, (("", "has a key (number 2) that must be str, not int"),)),
    (dict[int, int], {1: "x"}, (("['1']", "must be int, not str"),)),
    (dict[str, int], [("a", 1)], (("", "must be dict[str, int], not list"),)),
    (Whole, {"b": "x"}, (("a", "is missing"),)),
    (Whole, {"a": 1, "q": 2}, (("", "has a member which Whole does not have; it has a, b"),)),
    (Whole, {"a": "x", "b": 1}, (("a", "must be int, not str"), ("b", "must be str, not int"))),
    (Point, Point("x", 1), (("x", "must be float, not str"),)),
    (Point, (1.0, 2.0), (("", "must be Point, not tuple"),)),
    (Nested, Nested(number="x", names={1}), (("number", "must be int, not str"), ("names{}", "must be str, not int"))),
    (Nested | str, Nested(number="x"), (("number", "must be int, not str"),)),
    (list[Nested], [Nested(number=1), 3], (("[1]", "must be Nested, not int"),)),
    (Base, Derived(b="x"), (("", "must be Base, not Derived"),)),
]


@pytest.mark.parametrize(("annotation", "value", "errors"), REFUSED)
def test_refused(annotation: Any, value: Any, errors: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        codec(annotation).encode(value)
    assert caught.value.errors == errors
    assert caught.value.attribute == (errors[0][0] or None)


def test_a_member_that_was_never_set_is_missing() -> None:
    instance = object.__new__(OwnInit)
    instance.a = 1
    with pytest.raises(ValidationError) as caught:
        codec(OwnInit).encode(instance)
    assert caught.value.errors == (("b", "is missing"),)


class Changing(tzinfo):
    """A time zone at the moment clocks are changed: its offset depends on fold."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(hours=-4 if moment is not None and moment.fold else -5)

    def dst(self, moment: datetime | None) -> None:
        return None


def test_values_that_differ_but_are_stored_alike_are_refused() -> None:
    in_the_gap = datetime(2020, 3, 8, 2, 30, tzinfo=Changing())
    same_instant = in_the_gap.astimezone(UTC)
    assert in_the_gap != same_instant
    with pytest.raises(ValidationError, match="two members that are stored as the same value"):
        codec(set[datetime]).encode({in_the_gap, same_instant})
    with pytest.raises(ValidationError, match="two keys that are stored as the same text"):
        codec(dict[datetime, int]).encode({in_the_gap: 1, same_instant: 2})
    with pytest.raises(ValidationError, match="stored as the same value"):
        codec(set[Annotated[int, Stored(lambda value: "x", int)]]).encode({1, 2})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (datetime, "2020-01-01T00:00:00Z"),
        (UUID, "12345678-1234-5678-1234-5678ABCDEF00"),
        (time, "01:02"),
        (float, "1"),
        (Decimal, "1e1"),
        (EitherCase, "RED"),
    ],
)
def test_a_key_of_a_map_that_would_be_written_otherwise_is_refused(kind: Any, name: str) -> None:
    # Or a change of its value would be written to a second member.
    with pytest.raises(DecodeError, match="has a key in another form than"):
        codec(dict[kind, int]).decode({"M": {name: {"N": "1"}}})
    with pytest.raises(DecodeError, match=r"has a key that is no|ISO 8601 time|none of the members"):
        codec(dict[kind, int]).decode({"M": {"x": {"N": "1"}}})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (datetime, datetime(2020, 1, 1, tzinfo=UTC)),
        (UUID, UUID(int=5)),
        (time, time(1, 2)),
        (float, 1.0),
        (float, 1e-7),
        (Decimal, Decimal("1.50")),
        (Annotated[int, msgspec.Meta(ge=5)], 7),
        (int | Decimal, Decimal("-0")),
        (Decimal, Decimal("-0")),
        (Decimal, Decimal("-0E+3")),
        (Decimal, Decimal("-0.00")),
        (int | Decimal, Decimal("-0.0")),
        (int | Decimal, Decimal("1E+2")),
        (int | float, -0.0),
        (int | float, 1e22),
        (int | float, 3.0),
        (EitherCase, EitherCase.RED),
    ],
)
def test_keys_of_maps_are_read_as_they_are_written(kind: Any, value: Any) -> None:
    wire = codec(dict[kind, int]).encode({value: 1})
    assert codec(dict[kind, int]).decode(wire) == {value: 1}


def test_an_empty_set_is_refused_unless_its_absence_reads_as_one() -> None:
    class Tagged(Model, table="tagged"):
        id: Attr[str] = partition_key()
        free: Attr[set[str]] = attr(default_factory=set)
        own: Attr[set[str]] = attr(default_factory=set[str])
        frozen: Attr[frozenset[str]] = attr(default=frozenset())
        full: Attr[set[str]] = attr(default_factory=lambda: {"x"})

    tagged = Tagged(id="x")
    assert tagged.to_item() == {"id": {"S": "x"}, "full": {"SS": ["x"]}}
    tagged.full = set()
    with pytest.raises(ValidationError, match=r"Tagged\.full is an empty set, .*default_factory=set"):
        tagged.validate()
    with pytest.raises(ValidationError, match="empty set"):
        codec(set[str] | None).encode(set())


def test_an_empty_set_is_left_out_where_another_type_may_stand_beside_it() -> None:
    class Tagged(Model, table="tagged"):
        id: Attr[str] = partition_key()
        optional: Attr[set[str] | None] = attr(default_factory=set)
        frozen: Attr[frozenset[int] | None] = attr(default=frozenset())
        either: Attr[set[int] | set[str]] = attr(default_factory=set)
        abstract: Attr[AbstractSet[str]] = attr(default_factory=frozenset)

    assert Tagged(id="x").to_item() == {"id": {"S": "x"}}
    assert Tagged.from_item({"id": {"S": "x"}}) == Tagged(id="x", abstract=frozenset())
    tagged = Tagged(id="x", optional=None, frozen=None)
    assert tagged.to_item() == {"id": {"S": "x"}, "optional": {"NULL": True}, "frozen": {"NULL": True}}
    assert Tagged.from_item(tagged.to_item()).optional is None
    # What is neither stored nor left out is named.
    tagged.frozen = set()  # type: ignore[assignment]
    with pytest.raises(ValidationError, match=r"^Tagged\.frozen must be frozenset\[int\], not set"):
        tagged.validate()


def test_sets_of_different_members_side_by_side() -> None:
    either = codec(set[int] | set[str] | set[bytes])
    for value, tag in (({1, 2}, "NS"), ({"x"}, "SS"), ({b"x"}, "BS")):
        wire = either.encode(value)
        assert list(wire) == [tag]
        assert either.decode(wire) == value
    with pytest.raises(ValidationError) as caught:
        either.encode({"x", "y", 1})
    assert caught.value.errors == (("{}", "must be str, not int"),)
    with pytest.raises(ValidationError, match="empty set"):
        either.encode(set())
    with pytest.raises(ValidationError, match=r"must be set\[int\] \| set\[str\] \| set\[bytes\], not list"):
        either.encode([1])


def test_a_tuple_without_arguments_holds_anything() -> None:
    for annotation in (tuple, typing.Tuple):  # noqa: UP006
        assert codec(annotation).decode(codec(annotation).encode((1, "x", None))) == (1, "x", None)
    assert codec(tuple[()]).encode(()) == {"L": []}
    with pytest.raises(ValidationError, match="exactly 0 elements"):
        codec(tuple[()]).encode((1,))


def test_none_comes_back_whatever_the_default() -> None:
    class Defaults(Model, table="defaults"):
        id: Attr[str] = partition_key()
        plain: Attr[str | None]
        none: Attr[str | None] = attr(default=None)
        text: Attr[str | None] = attr(default="x")
        made: Attr[list[int] | None] = attr(default_factory=list)
        stored: Attr[int | str | None] = attr(default=None, store_none=True)
        union: Attr[int | str | None] = attr(default=None)

    empty = Defaults(id="a", plain=None, text=None, made=None)
    wire = empty.to_item()
    assert wire == {"id": {"S": "a"}, "text": {"NULL": True}, "made": {"NULL": True}, "stored": {"NULL": True}}
    assert Defaults.from_item(wire) == empty
    absent = Defaults.from_item({"id": {"S": "a"}})
    assert (absent.plain, absent.none, absent.text, absent.made, absent.union) == (None, None, "x", [], None)
    assert Defaults.text._stores_none
    assert not Defaults.none._stores_none


def test_unknown_and_missing_members() -> None:
    wire = {"M": {"number": {"N": "1"}, "unknown": {"S": "x"}}}
    assert codec(Nested).decode(wire) == Nested(number=1)
    with pytest.raises(DecodeError):
        codec(Nested).decode({"M": {}})
    plan = mapped(_Holder).plan
    with pytest.raises(DecodeError) as caught:
        plan.from_wire({"id": {"S": "secret"}, "nested": {"M": {"names": {"SS": ["secret"]}}}})
    error = caught.value
    assert (error.path, error.expected, error.found) == ("nested.number", "int (DynamoDB type N)", "nothing")
    assert error.key == {"id": {"S": "secret"}}
    assert "secret" not in str(error)


class _Holder(Model, table="holders"):
    id: Attr[str] = partition_key()
    nested: Attr[Nested | None] = attr(default=None)
    either: Attr[dict[str, list[int | str]] | int | None] = attr(default=None)
    shape: Attr[Shape | None] = attr(default=None)
    checked: Attr[Private | None] = attr(default=None)
    rows: Attr[list[tuple[int, Point]]] = attr(default_factory=list)


class Circle(msgspec.Struct, tag_field="kind", tag="circle"):
    radius: float


class Square(msgspec.Struct, tag_field="kind", tag="square"):
    side: int


Shape = Circle | Square

LOCATED: list[tuple[str, dict[str, Any], str, str]] = [
    ("either", {"M": {"a": {"L": [{"N": "1"}, {"BOOL": True}]}}}, "either['a'][1]", "DynamoDB type BOOL"),
    ("either", {"S": "x"}, "either", "DynamoDB type S"),
    ("shape", {"M": {"kind": {"S": "square"}, "side": {"S": "x"}}}, "shape.side", "DynamoDB type S"),
    (
        "shape",
        {"M": {"kind": {"S": "oval"}}},
        "shape",
        "DynamoDB type M (a map whose kind names none of Circle | Square)",
    ),
    ("shape", {"M": {"side": {"N": "1"}}}, "shape", "DynamoDB type M (of another form)"),
    ("rows", {"L": [{"L": [{"N": "1"}, {"M": {"x": {"NULL": True}}}]}]}, "rows[0][1].x", "DynamoDB type NULL"),
    ("rows", {"L": [{"L": [{"N": "1"}]}]}, "rows[0]", "DynamoDB type L (of another form)"),
    ("id", {"N": "1"}, "id", "DynamoDB type N"),
]


@pytest.mark.parametrize(("name", "wire", "path", "found"), LOCATED)
def test_misfits_are_located(name: str, wire: dict[str, Any], path: str, found: str) -> None:
    with pytest.raises(DecodeError) as caught:
        _Holder.from_item({"id": {"S": "a"}, name: wire})
    assert (caught.value.path, caught.value.found) == (path, found)


def test_what_a_constructor_raises_is_told_without_its_message() -> None:
    private = {"M": {"_secret": {"N": "1"}, "count": {"N": "-5"}, "later": {"S": "x"}, "names": {"L": []}}}
    with pytest.raises(DecodeError, match=r"_Holder\.checked: .*its constructor raised ValueError at ") as caught:
        _Holder.from_item({"id": {"S": "a"}, "checked": private})
    assert "-5" not in str(caught.value)


def test_tagged_structs_carry_their_tag() -> None:
    holder = _Holder(id="a", shape=Square(3))
    assert holder.to_item()["shape"] == {"M": {"side": {"N": "3"}, "kind": {"S": "square"}}}
    assert _Holder.from_item(holder.to_item()) == holder
    assert (_Holder.shape.side == 3) is not None


def test_json_of_models_and_structs() -> None:
    value = Nested(number=1, names={"x"})
    one = codec(Annotated[Nested, Json])
    assert one.decode(one.encode(value)) == value
    many = codec(Annotated[list[Circle], Json])
    assert many.decode(many.encode([Circle(1)])) == [Circle(1)]


def test_generic_classes_are_refused_with_a_remedy() -> None:
    for annotation in (collections.deque[int], type[int]):
        with pytest.raises(Exception, match=r"can't be stored; use a supported type"):
            codec(annotation)


def test_what_was_loaded_does_not_change_with_the_instance() -> None:
    plan = mapped(_Holder).plan
    item = {"id": {"S": "a"}, "either": {"M": {"a": {"L": [{"N": "1"}]}}}, "rows": {"L": []}}
    body = msgspec.json.encode({"Item": item})
    holder, _ = plan.read_item(body)
    holder.either["a"].append(2)
    holder.either["b"] = []
    holder.rows.append((1, Point(1.0)))
    assert plan.loaded_wire(holder._loaded) == item


def test_limits_do_not_count_for_what_is_stored_already() -> None:
    class Old(Model, table="old"):
        id: Attr[str] = partition_key()
        visits: Attr[int] = attr(ge=0)
        names: Attr[list[Annotated[str, msgspec.Meta(max_length=3)]]]

    item = {"id": {"S": "a"}, "visits": {"N": "-1"}, "names": {"L": [{"S": "long name"}]}}
    plan = mapped(Old).plan
    old, _ = plan.read_item(msgspec.json.encode({"Item": item}))
    assert (old.visits, old.names) == (-1, ["long name"])
    assert plan.loaded_wire(old._loaded) == item
    with pytest.raises(ValidationError) as caught:
        old.validate()
    assert [path for path, _ in caught.value.errors] == ["visits", "names[0]"]


def test_time_zones_of_offsets() -> None:
    moment = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert codec(datetime).decode(codec(datetime).encode(moment)) == moment


def test_a_record_inside_that_cannot_be_stored_is_named() -> None:
    @dataclasses.dataclass
    class Inner:
        what: complex

    with pytest.raises(SchemaError, match=r"Inner\.what: the type complex can't be stored"):

        class Outer(Model, table="outer"):
            id: Attr[str] = partition_key()
            inner: Attr[list[Inner]]
