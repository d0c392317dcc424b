"""A wrong declaration fails when the class is made, with an error that names class, attribute and remedy."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import attrs
import msgspec
import pytest

from dynawire import (
    Attr,
    EpochSeconds,
    GlobalIndex,
    Json,
    LocalIndex,
    Model,
    NaiveDatetime,
    SchemaError,
    Stored,
    attr,
    partition_key,
    sort_key,
)

T = TypeVar("T")
NAIVE = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Custom:
    """A class dynawire knows nothing of."""


class Colour(enum.Enum):
    RED = "red"


class Mixed(enum.Enum):
    A = "a"
    B = 1


class Text(str):
    """A str of its own."""


class Cat(msgspec.Struct):
    name: str


class Dog(msgspec.Struct):
    name: str


@dataclasses.dataclass
class NeedsInit:
    a: int
    b: dataclasses.InitVar[int]


@attrs.define
class TakesSelf:
    a: int
    b: int = attrs.Factory(lambda self: self.a, takes_self=True)


class Base(Model, abstract=True):
    """An abstract class."""

    created: Attr[int] = attr(default=0)


def made(*, keywords: dict[str, Any] | None = None, bases: tuple[Any, ...] = (Model,), **body: Any) -> Any:
    """A class ``Wrong`` with a partition key and this body: ``name=(type, value)``, or ``name=value``."""
    namespace: dict[str, Any] = {"__module__": __name__, "__qualname__": "Wrong", "__annotations__": {}}
    if keywords is None or "table" not in keywords:
        keywords = {"table": "wrong", **(keywords or {})}
    if keywords["table"] is None:
        del keywords["table"]
    for name, value in body.items():
        if isinstance(value, tuple) and value and value[0] is Attr:
            namespace["__annotations__"][name] = Attr[value[1]]
            if len(value) > 2:
                namespace[name] = value[2]
        else:
            namespace[name] = value
    return type(Model)("Wrong", bases, namespace, **keywords)


def told(annotation: str, **keywords: Any) -> Any:
    """A class ``Wrong`` whose attribute ``b`` has this text as annotation."""
    annotations = {"b": annotation} if keywords else {"a": "Attr[str]", "b": annotation}
    namespace = {"__module__": __name__, "__annotations__": annotations, **({} if keywords else {"a": partition_key()})}
    return type(Model)("Wrong", (Model,), namespace, **(keywords or {"table": "wrong"}))


ID = (Attr, str, partition_key())
SORT = (Attr, str, sort_key())
OTHER = (Attr, str)

# name: (what makes the class, the attribute at fault, parts of the message)
WRONG: dict[str, tuple[Callable[[], Any], str | None, list[str]]] = {
    # the primary key
    "no partition key": (lambda: made(a=OTHER), None, ["no partition key", "partition_key()"]),
    "two partition keys": (lambda: made(a=ID, b=ID), "b", ["one partition_key", "a and b", "keep one"]),
    "two sort keys": (lambda: made(a=ID, b=SORT, c=SORT), "c", ["one sort_key", "b and c"]),
    "bool key": (lambda: made(a=(Attr, bool, partition_key())), "a", ["partition_key", "never bool"]),
    "list key": (lambda: made(a=(Attr, list[int], partition_key())), "a", ["never list[int]"]),
    "set key": (lambda: made(a=ID, b=(Attr, set[str], sort_key())), "b", ["sort_key", "never set[str]"]),
    "record key": (lambda: made(a=(Attr, Cat, partition_key())), "a", ["never Cat"]),
    "any key": (lambda: made(a=(Attr, Any, partition_key())), "a", ["never Any"]),
    "optional key": (lambda: made(a=(Attr, str | None, partition_key())), "a", ["never str | None"]),
    "union key": (lambda: made(a=(Attr, int | str, partition_key())), "a", ["never int | str"]),
    "key in a nested class": (lambda: made(keywords={"table": None}, a=ID), "a", ["no table", 'table="..."']),
    "empty default of a key": (lambda: made(a=(Attr, str, partition_key(default=""))), "a", ["default is empty"]),
    "long name of a key": (lambda: made(a=(Attr, str, partition_key(name="x" * 256))), "a", ["255 bytes"]),
    # names
    "one stored name": (lambda: made(a=ID, b=(Attr, int, attr(name="a"))), "b", ["a and b", "'a'", "attr(name=...)"]),
    "empty stored name": (lambda: made(a=ID, b=(Attr, int, attr(name=""))), "b", ["text of 1 to 65,535 bytes"]),
    "stored name that is no text": (lambda: made(a=ID, b=(Attr, int, attr(name=3))), "b", ["text of 1 to 65,535"]),
    "a method's name": (lambda: made(a=ID, save=OTHER), "save", ["save_: Attr[...] = attr(name='save')"]),
    "a class method's name": (lambda: made(a=ID, query=OTHER), "query", ["query_: Attr"]),
    "a property's name": (lambda: made(a=ID, params=OTHER), "params", ["params_: Attr"]),
    "an underscore": (lambda: made(a=ID, _b=OTHER), "_b", ["begins with '_'", "b_: Attr[...] = attr(name='_b')"]),
    "an index with a method's name": (lambda: made(a=ID, key=GlobalIndex("a")), "key", ["name='key'"]),
    # annotations
    "plain annotation": (
        lambda: type(Model)("Wrong", (Model,), {"__module__": __name__, "__annotations__": {"a": int}}, table="wrong"),
        "a",
        ["write a: Attr[int]", "ClassVar[int]"],
    ),
    "plain annotation as text": (
        lambda: type(Model)(
            "Wrong", (Model,), {"__module__": __name__, "__annotations__": {"a": "int"}}, table="wrong"
        ),
        "a",
        ["write a: Attr[int]"],
    ),
    "Attr without a type": (
        lambda: type(Model)("Wrong", (Model,), {"__module__": __name__, "__annotations__": {"a": Attr}}, table="wrong"),
        "a",
        ["write a: Attr[...]"],
    ),
    "attr() without annotation": (lambda: made(a=ID, b=attr()), "b", ["b has no type", "b: Attr[...] = ..."]),
    "key without annotation": (lambda: made(a=partition_key()), "a", ["a has no type"]),
    "an index with annotation": (lambda: made(a=ID, b=(Attr, str, GlobalIndex("a"))), "b", ["b = GlobalIndex(...)"]),
    # types
    "custom class": (lambda: made(a=ID, b=(Attr, Custom)), "b", ["Custom can't be stored", "Stored("]),
    "complex": (lambda: made(a=ID, b=(Attr, complex)), "b", ["complex can't be stored"]),
    "None": (lambda: made(a=ID, b=(Attr, None)), "b", ["NoneType can't be stored"]),
    "TypeVar": (lambda: made(a=ID, b=(Attr, T)), "b", ["~T can't be stored"]),
    "inside a list": (lambda: made(a=ID, b=(Attr, list[dict[str, Custom]])), "b", ["Custom can't be stored"]),
    "bytearray": (lambda: made(a=ID, b=(Attr, bytearray)), "b", ["bytearray comes back as bytes; write bytes"]),
    "subclass of str": (lambda: made(a=ID, b=(Attr, Text)), "b", ["subclass of str", "would come back as str"]),
    "generic alias of an unknown class": (lambda: made(a=ID, b=(Attr, type[int])), "b", ["can't be stored"]),
    "Enum of several types": (lambda: made(a=ID, b=(Attr, Mixed)), "b", ["all have str values or all have int values"]),
    "Literal of several types": (lambda: made(a=ID, b=(Attr, Literal["a", 1])), "b", ["only str, only int"]),
    "Literal of bool": (lambda: made(a=ID, b=(Attr, Literal[True])), "b", ["only str, only int"]),
    "set without type": (lambda: made(a=ID, b=(Attr, set)), "b", ["set[str]"]),
    "set of bool": (lambda: made(a=ID, b=(Attr, set[bool])), "b", ["text, numbers or binary"]),
    "set of optional": (lambda: made(a=ID, b=(Attr, set[str | None])), "b", ["text, numbers or binary"]),
    "set of tuples": (lambda: made(a=ID, b=(Attr, set[tuple[int, int]])), "b", ["use a list"]),
    "map with list keys": (lambda: made(a=ID, b=(Attr, dict[tuple[int], int])), "b", ["a map's keys are text"]),
    "map with bytes keys": (lambda: made(a=ID, b=(Attr, dict[bytes, int])), "b", ["a map's keys are text"]),
    "str or UUID": (
        lambda: made(a=ID, b=(Attr, str | datetime)),
        "b",
        ["str and datetime are both stored as S", "keep one"],
    ),
    "float or Decimal": (lambda: made(a=ID, b=(Attr, float | Decimal)), "b", ["both stored as N"]),
    "list or tuple": (lambda: made(a=ID, b=(Attr, list[int] | tuple[int, ...])), "b", ["both stored as L"]),
    "untagged records": (lambda: made(a=ID, b=(Attr, Cat | Dog)), "b", ["Cat and Dog", 'kind: Literal["card"]']),
    "Model itself": (lambda: made(a=ID, b=(Attr, Model)), "b", ["Model is abstract"]),
    "an abstract Model": (lambda: made(a=ID, b=(Attr, list[Base])), "b", ["Base is abstract"]),
    "InitVar": (lambda: made(a=ID, b=(Attr, NeedsInit)), "b", ["InitVar without default"]),
    "attrs default of self": (lambda: made(a=ID, b=(Attr, TakesSelf)), "b", ["takes self"]),
    # markers
    "EpochSeconds on int": (lambda: made(a=ID, b=(Attr, Annotated[int, EpochSeconds])), "b", ["for datetime, not int"]),
    "two markers": (lambda: made(a=ID, b=(Attr, Annotated[datetime, EpochSeconds, NaiveDatetime])), "b", ["keep one"]),
    "Stored without functions": (lambda: made(a=ID, b=(Attr, Annotated[Custom, Stored])), "b", ["Stored(encode"]),
    "Stored with wrong functions": (
        lambda: made(a=ID, b=(Attr, Annotated[Custom, Stored(1, 2)])),
        "b",
        ["two functions"],
    ),
    "Stored as two types": (
        lambda: made(a=ID, b=(Attr, Annotated[Custom, Stored(str, Custom, int | str)])),
        "b",
        ["N or S", "as one"],
    ),
    "Stored as what can't be": (
        lambda: made(a=ID, b=(Attr, Annotated[Custom, Stored(str, Custom, complex)])),
        "b",
        ["complex can't be stored"],
    ),
    "Json of what has none": (lambda: made(a=ID, b=(Attr, Annotated[type[int], Json])), "b", ["has no JSON form"]),
    "an annotation with a mistake": (lambda: told("Attr[list[]"), "b", ["can't be evaluated"]),
    "an empty annotation": (lambda: told("Attr[]"), "b", ["write b: Attr[...]"]),
    "an annotation that is no expression": (lambda: told("Attr[1 +]"), "b", ["can't be evaluated"]),
    "an attribute no module has": (lambda: told("Attr[enum.Nothing]"), "b", ["has no attribute 'Nothing'"]),
    "arguments of what takes none": (lambda: told("Attr[int[str]]"), "b", ["not subscriptable"]),
    "an abstract class with a mistake": (lambda: told("Attr[1 +]", abstract=True), "b", ["can't be evaluated"]),
    # defaults
    "both defaults": (
        lambda: made(a=ID, b=(Attr, int, attr(default=1, default_factory=int))),
        "b",
        ["both default= and default_factory="],
    ),
    "list default": (lambda: made(a=ID, b=(Attr, list[int], attr(default=[]))), "b", ["default_factory=list"]),
    "dict default": (lambda: made(a=ID, b=(Attr, dict[str, int], attr(default={"x": 1}))), "b", ["every instance"]),
    "bare set default": (lambda: made(a=ID, b=(Attr, set[str], set())), "b", ["default_factory=set"]),
    "struct default": (lambda: made(a=ID, b=(Attr, Cat, attr(default=Cat("x")))), "b", ["default_factory=lambda"]),
    "list in a tuple": (lambda: made(a=ID, b=(Attr, tuple[Any, ...], attr(default=([],)))), "b", ["every instance"]),
    "factory that is none": (
        lambda: made(a=ID, b=(Attr, int, attr(default_factory=3))),
        "b",
        ["function without parameters"],
    ),
    "default of another type": (lambda: made(a=ID, b=(Attr, int, attr(default="x"))), "b", ["must be int, not str"]),
    "None as default": (lambda: made(a=ID, b=(Attr, int, attr(default=None))), "b", ["Attr[int | None]"]),
    "default beyond limits": (lambda: made(a=ID, b=(Attr, int, attr(default=0, ge=1))), "b", ["default must be >= 1"]),
    "default nan": (lambda: made(a=ID, b=(Attr, float, attr(default=float("nan")))), "b", ["finite"]),
    "naive default": (
        lambda: made(a=ID, b=(Attr, datetime, attr(default=NAIVE))),
        "b",
        ["time zone"],
    ),
    # limits
    "length of int": (
        lambda: made(a=ID, b=(Attr, int, attr(min_length=1))),
        "b",
        ["min_length= is for what has a length"],
    ),
    "length of datetime": (lambda: made(a=ID, b=(Attr, datetime, attr(max_length=1))), "b", ["not for datetime"]),
    "length of a record": (lambda: made(a=ID, b=(Attr, Cat, attr(max_length=1))), "b", ["not for Cat"]),
    "pattern of int": (lambda: made(a=ID, b=(Attr, int, attr(pattern="x"))), "b", ["pattern= is for text"]),
    "pattern of UUID": (lambda: made(a=ID, b=(Attr, bytes, attr(pattern="x"))), "b", ["pattern= is for text"]),
    "bound of list": (lambda: made(a=ID, b=(Attr, list[int], attr(ge=1))), "b", ["not for list[int]"]),
    "bound of bool": (lambda: made(a=ID, b=(Attr, bool, attr(ge=1))), "b", ["not for bool"]),
    "bound of Any": (lambda: made(a=ID, b=(Attr, Any, attr(ge=1))), "b", ["not for Any"]),
    "bound of another type": (lambda: made(a=ID, b=(Attr, int, attr(ge="1"))), "b", ["ge= is compared with"]),
    "naive bound": (
        lambda: made(a=ID, b=(Attr, datetime, attr(ge=NAIVE))),
        "b",
        ["ge= is compared"],
    ),
    "bound of Enum": (lambda: made(a=ID, b=(Attr, Colour, attr(le=Colour.RED))), "b", ["has an order"]),
    "no value between bounds": (lambda: made(a=ID, b=(Attr, int, attr(ge=2, lt=2))), "b", ["no value would fit"]),
    "no length between": (lambda: made(a=ID, b=(Attr, str, attr(min_length=2, max_length=1))), "b", ["no value"]),
    "negative length": (lambda: made(a=ID, b=(Attr, str, attr(max_length=-1))), "b", ["0 or more"]),
    "multiple of nothing": (lambda: made(a=ID, b=(Attr, int, attr(multiple_of=0))), "b", ["above 0"]),
    "bad pattern": (lambda: made(a=ID, b=(Attr, str, attr(pattern="("))), "b", ["not a regular expression"]),
    "bad pattern of a key": (lambda: made(a=(Attr, str, partition_key(pattern="["))), "a", ["regular expression"]),
    "pattern twice": (
        lambda: made(a=ID, b=(Attr, Annotated[str, msgspec.Meta(pattern="x")], attr(pattern="y"))),
        "b",
        ["twice"],
    ),
    "a limit no member of a union takes": (
        lambda: made(a=ID, b=(Attr, int | bool, attr(pattern="x"))),
        "b",
        ["for text"],
    ),
    # the table
    "short table name": (lambda: made(keywords={"table": "ab"}, a=ID), None, ["table='ab'", "3 to 255"]),
    "strange table name": (lambda: made(keywords={"table": "a b c"}, a=ID), None, ["table='a b c'"]),
    "table that is no text": (lambda: made(keywords={"table": 3}, a=ID), None, ["table=3"]),
    "unknown keyword": (lambda: made(keywords={"tabel": "x"}, a=ID), None, ["'tabel'", "did you mean 'table'?"]),
    "strange billing": (lambda: made(keywords={"billing": "FREE"}, a=ID), None, ["'PAY_PER_REQUEST' or 'PROVISIONED'"]),
    "provisioned without units": (lambda: made(keywords={"billing": "PROVISIONED"}, a=ID), None, ["read_units="]),
    "units on demand": (lambda: made(keywords={"read_units": 3}, a=ID), None, ["billing='PROVISIONED'"]),
    "no units": (
        lambda: made(keywords={"billing": "PROVISIONED", "read_units": 0, "write_units": 1}, a=ID),
        None,
        ["1 or more"],
    ),
    "strange stream": (lambda: made(keywords={"stream": "ALL"}, a=ID), None, ["'NEW_AND_OLD_IMAGES'"]),
    "strange table class": (lambda: made(keywords={"table_class": "CHEAP"}, a=ID), None, ["'STANDARD'"]),
    "strange protection": (lambda: made(keywords={"deletion_protection": 1}, a=ID), None, ["True or False"]),
    "unknown ttl": (lambda: made(keywords={"ttl": "b"}, a=ID), "b", ["ttl= names the attribute 'b'"]),
    "ttl that is text": (
        lambda: made(keywords={"ttl": "b"}, a=ID, b=(Attr, datetime)),
        "b",
        ["Attr[datetime] = ttl()"],
    ),
    "ttl that is a duration": (
        lambda: made(keywords={"ttl": "b"}, a=ID, b=(Attr, timedelta | None)),
        "b",
        ["not how long it lives", "datetime.now(UTC) + duration"],
    ),
    "options without table": (
        lambda: made(keywords={"table": None, "stream": "NEW_IMAGE"}),
        None,
        ["stream=", 'table="..."'],
    ),
    "abstract with table": (lambda: made(keywords={"abstract": True}, a=ID), None, ["drop abstract=True or table="]),
    "store_none on a key": (lambda: made(a=(Attr, str, attr(store_none=True))), None, ["no partition key"]),
    # indexes
    "unknown attribute": (
        lambda: made(a=ID, city=OTHER, idx=GlobalIndex("citty")),
        "idx",
        ["'citty'", "did you mean 'city'?"],
    ),
    "unknown projection": (lambda: made(a=ID, c=OTHER, idx=GlobalIndex("a", projection=["d"])), "idx", ["'d'"]),
    "strange projection": (lambda: made(a=ID, idx=GlobalIndex("a", projection="SOME")), "idx", ["'KEYS_ONLY'"]),
    "empty projection": (lambda: made(a=ID, idx=GlobalIndex("a", projection=[])), "idx", ["1 to 20"]),
    "repeated projection": (
        lambda: made(a=ID, b=OTHER, idx=GlobalIndex("a", projection=["b", "b"])),
        "idx",
        ["different"],
    ),
    "large projection": (
        lambda: made(
            a=ID,
            idx=GlobalIndex("a", projection=[f"n{i}" for i in range(21)]),
            **{f"n{i}": OTHER for i in range(21)},
        ),
        "idx",
        ["includes 21"],
    ),
    "101 projected attributes": (
        lambda: made(
            a=ID,
            **{f"n{i}": OTHER for i in range(20)},
            **{f"idx{i}": GlobalIndex("a", projection=[f"n{j}" for j in range(17)]) for i in range(6)},
        ),
        None,
        ["102 attributes in all", "at most 100"],
    ),
    "local without sort key": (lambda: made(a=ID, b=OTHER, idx=LocalIndex("b")), "idx", ["use GlobalIndex"]),
    "local without attribute": (lambda: made(a=ID, idx=LocalIndex(())), "idx", ["has one sort key"]),
    "global without attribute": (lambda: made(a=ID, idx=GlobalIndex(())), "idx", ["needs a partition key"]),
    "index by declaration": (
        lambda: made(a=ID, idx=GlobalIndex(attr())),
        "idx",
        ["write the names of attributes as text"],
    ),
    "attribute twice": (lambda: made(a=ID, b=OTHER, idx=GlobalIndex("b", "b")), "idx", ["twice"]),
    "five key attributes": (
        lambda: made(a=ID, **{f"n{i}": OTHER for i in range(5)}, idx=GlobalIndex([f"n{i}" for i in range(5)])),
        "idx",
        ["at most 4"],
    ),
    "two indexes of one name": (
        lambda: made(a=ID, one=GlobalIndex("a", name="same"), two=GlobalIndex("a", name="same")),
        "two",
        ["'same'"],
    ),
    "short index name": (lambda: made(a=ID, ix=GlobalIndex("a")), "ix", ["'ix'", "3 to 255"]),
    "empty index name": (lambda: made(a=ID, idx=GlobalIndex("a", name="")), "idx", ["''", "3 to 255"]),
    "21 global indexes": (lambda: made(a=ID, **{f"ix{i}": GlobalIndex("a") for i in range(21)}), None, ["at most 20"]),
    "6 local indexes": (
        lambda: made(
            a=ID, s=SORT, **{f"n{i}": OTHER for i in range(6)}, **{f"ix{i}": LocalIndex(f"n{i}") for i in range(6)}
        ),
        None,
        ["at most 5 local"],
    ),
    "index key that can't be one": (
        lambda: made(a=ID, b=(Attr, bool), idx=GlobalIndex("b")),
        "b",
        ["key of the index idx"],
    ),
    "index key stored as NULL": (
        lambda: made(a=ID, b=(Attr, str | None, attr(default=None, store_none=True)), idx=GlobalIndex("b")),
        "b",
        ["refuses NULL", "store_none="],
    ),
    "index key with another default than None": (
        lambda: made(a=ID, b=(Attr, str | None, attr(default="x")), idx=GlobalIndex("b")),
        "b",
        ["any default but None"],
    ),
    "index units on demand": (lambda: made(a=ID, idx=GlobalIndex("a", read_units=1)), "idx", ["billing='PROVISIONED'"]),
    "index in a nested class": (
        lambda: made(keywords={"table": None}, a=OTHER, idx=GlobalIndex("a")),
        "idx",
        ["no table"],
    ),
    # inheritance
    "value for an inherited attribute": (
        lambda: made(bases=(Base,), a=ID, created=5),
        "created",
        ["created: Attr[...] = attr(default=...)"],
    ),
    "method over an inherited attribute": (
        lambda: made(bases=(Base,), a=ID, created=lambda self: 5),
        "created",
        ["attribute of a base class"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_declaration(name: str) -> None:
    make, attribute, parts = WRONG[name]
    with pytest.raises(SchemaError) as caught:
        make()
    error = caught.value
    for part in parts:
        assert part in str(error), str(error)
    assert isinstance(error, TypeError)
    if error.model != "Wrong":  # the class nested in it is at fault
        assert error.model in ("NeedsInit", "TakesSelf"), str(error)
        return
    assert "Wrong" in str(error)
    assert error.attribute == attribute, str(error)
    assert attribute is None or attribute in str(error)


def test_store_none_on_a_key() -> None:
    from dynawire.mapping.attributes import AttributeDeclaration

    with pytest.raises(SchemaError, match="store_none has no meaning"):
        made(a=(Attr, str, AttributeDeclaration(role="partition_key", store_none=True)))


def test_two_classes_with_attributes_cannot_be_mixed() -> None:
    class Left(Model):
        a: Attr[int]

    class Right(Model):
        b: Attr[int]

    with pytest.raises(SchemaError, match=r"Left and Right each hold attributes.*abstract=True"):

        class Both(Left, Right):
            pass


class Good(NamedTuple):
    """A type that is fine."""

    x: int


def test_right_declarations_pass() -> None:
    # What the wrong ones differ from, so that none fails for another reason.
    made(
        keywords={
            "billing": "PROVISIONED",
            "read_units": 1,
            "write_units": 1,
            "stream": "KEYS_ONLY",
            "table_class": "STANDARD_INFREQUENT_ACCESS",
            "ttl": "expires",
            "deletion_protection": True,
        },
        a=ID,
        s=SORT,
        expires=(Attr, Annotated[datetime, EpochSeconds], attr(default=datetime(2020, 1, 1, tzinfo=UTC))),
        b=(Attr, int | str, attr(default=1, ge=0, max_length=3)),
        c=(Attr, float, attr(default=0, multiple_of=0.5)),
        d=(Attr, frozenset[str], attr(default=frozenset())),
        e=(Attr, Good, attr(default=Good(1))),
        f=(Attr, tuple[int, str], attr(default=(1, "x"))),
        g=(Attr, datetime, attr(default=datetime(2020, 1, 1, tzinfo=UTC), ge=datetime(2019, 1, 1, tzinfo=UTC))),
        h=(Attr, Decimal | None, attr(default=None, gt=0, le=Decimal("9.5"))),
        i=(Attr, str | None, attr(default=None)),
        by_i=GlobalIndex("i", ["b_text", "c"], projection=["d"], read_units=5),
        b_text=(Attr, str, attr(pattern="^x", default="x")),
        by_c=LocalIndex("c", projection="KEYS_ONLY", name="By.C-1"),
    )


def test_ge_on_one_of_a_union_is_checked_on_that_one() -> None:
    cls = made(a=ID, b=(Attr, int | str, attr(ge=0, max_length=3)))
    cls(a="x", b=5).validate()
    cls(a="x", b="abc").validate()
    for value in (-1, "abcd"):
        with pytest.raises(ValueError, match=r"Wrong\.b must"):
            cls(a="x", b=value).validate()


def test_mapping_of_a_good_class() -> None:
    class Airport(Model, table="airports"):
        state: Attr[str] = partition_key(name="pk")
        iata: Attr[str] = sort_key()
        city: Attr[str | None] = attr(default=None, name="c")

        by_city = GlobalIndex("city", projection=["iata"])
        by_name = LocalIndex("city", name="By-City")

    mapping = Airport.__mapping__
    assert [one.stored_name for one in mapping.attributes.values()] == ["pk", "iata", "c"]
    assert [one.name for one in mapping.key] == ["state", "iata"]
    assert mapping.indexes["by_name"].name == "By-City"
    assert mapping.indexes["by_name"].partition_key == ("state",)
    assert mapping.indexes["by_city"].name == "by_city"
    assert mapping.table == "airports"
