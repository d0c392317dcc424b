"""Types by other names, unions of records, and types of the user's own."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict, Union

import msgspec
import pytest

from dynawire import Attr, DecodeError, EpochSeconds, Json, Model, SchemaError, Stored, ValidationError, partition_key
from dynawire.codec.base import Codec
from dynawire.codec.limits import Unsupported
from dynawire.codec.resolve import Resolver

Moment = NewType("Moment", datetime)
Instant = NewType("Instant", Moment)
OrNone = Union[Moment, None]  # noqa: UP007
NOW = datetime(2020, 1, 1, tzinfo=UTC)


def codec(annotation: Any) -> Codec:
    return Resolver().codec(annotation)


def comes_back(annotation: Any, value: Any) -> bool:
    one = codec(annotation)
    found: bool = one.decode(one.encode(value)) == value
    return found


def test_new_types() -> None:
    assert codec(Instant).describe() == "datetime"
    assert codec(Annotated[Instant, EpochSeconds]).encode(Instant(Moment(NOW))) == {"N": "1577836800"}
    assert codec(Annotated[OrNone, EpochSeconds]).encode(None) == {"NULL": True}
    assert comes_back(OrNone, NOW)


@pytest.fixture
def aliases() -> Iterator[types.ModuleType]:
    module = types.ModuleType("aliases")
    sys.modules["aliases"] = module
    exec(
        "type Text = str\n"
        "type Maybe[T] = T | None\n"
        "type Names = list[Maybe[Text]]\n"
        "type Tree = dict[str, Tree] | int\n"
        "type Names2 = Names | int\n",
        module.__dict__,
    )
    yield module
    del sys.modules["aliases"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements came with Python 3.12")
def test_type_aliases(aliases: types.ModuleType) -> None:
    assert comes_back(aliases.Text, "x")
    assert comes_back(aliases.Maybe[int], None)
    assert comes_back(aliases.Maybe[int], 1)
    assert comes_back(aliases.Names, ["a", None])
    assert comes_back(aliases.Names2 | None, ["a", None])
    assert comes_back(Annotated[aliases.Maybe[datetime], EpochSeconds], NOW)
    for annotation in (aliases.Tree, aliases.Tree | None):
        with pytest.raises(Unsupported, match="holds itself, and only classes may"):
            codec(annotation)


class Sized(Protocol):
    """Anything with a size."""

    size: int


@dataclasses.dataclass
class Box:
    size: int


class Money:
    """A type of the user's own."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    __hash__ = None


def test_types_of_the_users_own() -> None:
    def cents(money: Money) -> int:
        return money.cents

    assert comes_back(Annotated[Money, Stored(cents, Money, int)], Money(5))
    assert comes_back(Annotated[Money | None, Stored(cents, Money, int)], None)
    assert comes_back(list[Annotated[Money, Stored(cents, Money, int)]], [Money(5)])
    assert comes_back(dict[str, Annotated[Money, Stored(cents, Money, int)]], {"a": Money(5)})
    size = Stored(lambda one: one.size, Box, int)
    assert comes_back(Annotated[Sized, size], Box(3))
    either = Annotated[int | Box, Stored(str, lambda text: int(text) if text.isdigit() else Box(1))]
    assert comes_back(either, 3)
    assert comes_back(either, Box(1))
    with pytest.raises(ValidationError, match=r"must be .*, not str"):
        codec(either).encode("x")
    as_map = codec(
        Annotated[Money, Stored(lambda one: {"cents": one.cents}, lambda found: Money(found["cents"]), dict[str, int])]
    )
    assert as_map.decode(as_map.encode(Money(3))) == Money(3)
    assert as_map.member("cents") is not None
    with pytest.raises(ValidationError, match="must be int"):
        as_map.encode(Money("x"))


def test_a_key_of_the_users_own_type_is_never_empty() -> None:
    class Account(Model, table="accounts"):
        id: Attr[Annotated[Money, Stored(lambda money: "x" * money.cents, lambda text: Money(len(text)))]] = (
            partition_key()
        )

    assert Account(id=Money(3)).to_item() == {"id": {"S": "xxx"}}
    for size in (0, 3000):
        with pytest.raises(ValidationError, match=r"Account\.id (is empty|has 3,000 bytes as a key)"):
            Account(id=Money(size)).validate()


class Cat(TypedDict):
    kind: Literal["cat"]
    lives: int


class Dog(TypedDict):
    kind: Literal["dog", "hound"]
    name: str


@dataclasses.dataclass
class Number:
    value: int
    op: Literal["number"] = "number"


@dataclasses.dataclass
class Sum:
    left: Number | Sum
    right: Number | Sum
    op: Literal["sum"] = "sum"


def test_tagged_records() -> None:
    assert comes_back(Cat | Dog, {"kind": "cat", "lives": 9})
    assert comes_back(list[Cat | Dog | None], [{"kind": "hound", "name": "x"}, None])
    with pytest.raises(ValidationError, match=r"must be Cat \| Dog, not dict"):
        codec(Cat | Dog).encode({"kind": "cow"})
    with pytest.raises(ValidationError, match="must be int, not str"):
        codec(Cat | Dog).encode({"kind": "cat", "lives": "x"})
    with pytest.raises(DecodeError, match=r"names none of Cat \| Dog"):
        codec(Cat | Dog).decode({"M": {"kind": {"S": "cow"}}})


def test_tagged_records_that_hold_themselves() -> None:
    expression = Sum(Number(1), Sum(Number(2), Number(3)))
    assert comes_back(Number | Sum, expression)
    assert comes_back(Sum, expression)

    class Formula(Model, table="formulas"):
        id: Attr[str] = partition_key()
        root: Attr[Number | Sum]

    formula = Formula(id="x", root=expression)
    assert Formula.from_item(formula.to_item()) == formula
    wire = formula.to_item()
    wire["root"]["M"]["right"]["M"]["left"]["M"]["value"] = {"S": "x"}
    with pytest.raises(DecodeError) as caught:
        Formula.from_item(wire)
    assert caught.value.path == "root.right.left.value"


def test_json_of_anything() -> None:
    assert comes_back(Annotated[dict[str, Any] | None, Json], {"a": [1, 2.5, None, {"b": "é"}]})
    assert comes_back(Annotated[list[Box], Json], [Box(1)])
    assert comes_back(Annotated[datetime, Json], NOW)
    assert comes_back(Annotated[int, Json], 10**40)

    class Loose(msgspec.Struct, eq=False):
        a: int

    loose = codec(Annotated[Loose, Json])
    assert loose.decode(loose.encode(Loose(3))).a == 3


def test_names_that_are_not_names() -> None:
    weird = msgspec.defstruct("Weird", [("class", int)])

    with pytest.raises(SchemaError, match=r"Weird\.class: is not a name that can be written"):

        class Holder(Model, table="holders"):
            id: Attr[str] = partition_key()
            weird: Attr[weird]

    member = TypedDict("member", {"a b": int, "class": str, "'": int})
    assert comes_back(member, {"a b": 1, "class": "x", "'": 2})
    with pytest.raises(SchemaError, match="quotation mark"):
        codec(TypedDict("quoted", {'"': int}))


def test_stored_names_of_any_kind() -> None:
    names = ["a'b", "{x}", "é" * 100, "#a", ":b", "%s", " ", "None"]
    struct = msgspec.defstruct(
        "Odd", [(f"a{i}", int) for i in range(len(names))], rename={f"a{i}": name for i, name in enumerate(names)}
    )
    assert comes_back(struct, struct(*range(len(names))))
