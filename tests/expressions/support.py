"""A small set of codecs, enough to try expressions without the codec layer, and a class with its paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynawire.errors import DecodeError, ValidationError
from dynawire.expressions.paths import Path
from dynawire.mapping.value_codec import ALL_TAGS, ValueCodec, WireValue


class Codec:
    """What the codecs here have in common. ``check`` is a limit that only whole values must keep."""

    tags: Any = frozenset()

    def __init__(self, check: Any = None) -> None:
        self.check = check

    @property
    def unconstrained(self) -> ValueCodec:
        return self

    def encode(self, value: Any) -> WireValue:
        raise AssertionError

    def decode(self, wire: WireValue) -> Any:
        ((tag, payload),) = wire.items()
        if tag not in self.tags:
            raise DecodeError("is stored as another type")
        return payload

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        return None

    def member_names(self) -> list[str]:
        return []

    def element(self) -> ValueCodec | None:
        return None

    def describe(self) -> str:
        raise AssertionError


class Scalar(Codec):
    """One Python type, one DynamoDB type."""

    kinds: tuple[type[Any], ...]
    tag: str
    name: str

    @property
    def tags(self) -> frozenset[str]:
        return frozenset({self.tag})

    @property
    def unconstrained(self) -> ValueCodec:
        return type(self)()

    def encode(self, value: Any) -> WireValue:
        if not isinstance(value, self.kinds) or (isinstance(value, bool) and bool not in self.kinds):
            raise ValidationError(f"must be {self.name}, not {type(value).__name__}")
        if self.check is not None and not self.check(value):
            raise ValidationError("is beyond its limits")
        return {self.tag: repr(value) if self.tag == "N" else value}

    def describe(self) -> str:
        return self.name


class Str(Scalar):
    kinds, tag, name = (str,), "S", "str"


class Int(Scalar):
    kinds, tag, name = (int,), "N", "int"


class Float(Scalar):
    kinds, tag, name = (float, int), "N", "float"


class Bool(Scalar):
    kinds, tag, name = (bool,), "BOOL", "bool"


class Bytes(Scalar):
    kinds, tag, name = (bytes,), "B", "bytes"


class List(Codec):
    def __init__(self, inner: ValueCodec) -> None:
        super().__init__()
        self.inner = inner

    tags = frozenset({"L"})

    def encode(self, value: Any) -> WireValue:
        if not isinstance(value, list):
            raise ValidationError(f"must be {self.describe()}, not {type(value).__name__}")
        wires: list[WireValue] = []
        for position, one in enumerate(value):
            try:
                wires.append(self.inner.encode(one))
            except ValidationError as error:
                where = f"[{position}]"
                raise ValidationError(error.message, attribute=where, errors=((where, error.message),)) from None
        return {"L": wires}

    def element(self) -> ValueCodec | None:
        return self.inner

    def describe(self) -> str:
        return f"list[{self.inner.describe()}]"


class Pair(List):
    """A tuple of a fixed length: its elements have no common codec."""

    def element(self) -> ValueCodec | None:
        return None

    def describe(self) -> str:
        return "tuple[str, int]"


class SetOf(Codec):
    def __init__(self, inner: Scalar) -> None:
        super().__init__()
        self.inner = inner

    @property
    def tags(self) -> frozenset[str]:
        return frozenset({self.inner.tag + "S"})

    def encode(self, value: Any) -> WireValue:
        if not isinstance(value, (set, frozenset)):
            raise ValidationError(f"must be {self.describe()}, not {type(value).__name__}")
        if not value:
            raise ValidationError("is an empty set")
        return {self.inner.tag + "S": [self.inner.encode(one)[self.inner.tag] for one in value]}

    def element(self) -> ValueCodec | None:
        return self.inner

    def describe(self) -> str:
        return f"set[{self.inner.describe()}]"


class Dict(Codec):
    def __init__(self, inner: ValueCodec) -> None:
        super().__init__()
        self.inner = inner

    tags = frozenset({"M"})

    def encode(self, value: Any) -> WireValue:
        if not isinstance(value, dict):
            raise ValidationError(f"must be {self.describe()}, not {type(value).__name__}")
        return {"M": {name: self.inner.encode(one) for name, one in value.items()}}

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        return name, self.inner

    def describe(self) -> str:
        return f"dict[str, {self.inner.describe()}]"


class Record(Codec):
    """A map with declared members: Python name to stored name and codec."""

    def __init__(self, name: str, members: Mapping[str, tuple[str, ValueCodec]]) -> None:
        super().__init__()
        self.name = name
        self.members = members

    tags = frozenset({"M"})

    def encode(self, value: Any) -> WireValue:
        if not isinstance(value, dict):
            raise ValidationError(f"must be {self.name}, not {type(value).__name__}")
        return {"M": {self.members[name][0]: self.members[name][1].encode(one) for name, one in value.items()}}

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        return self.members.get(name)

    def member_names(self) -> list[str]:
        return list(self.members)

    def describe(self) -> str:
        return self.name


class Optional(Codec):
    def __init__(self, inner: ValueCodec) -> None:
        super().__init__()
        self.inner = inner

    @property
    def tags(self) -> frozenset[str]:
        return self.inner.tags | {"NULL"}

    def encode(self, value: Any) -> WireValue:
        return {"NULL": True} if value is None else self.inner.encode(value)

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        return self.inner.member(name)

    def element(self) -> ValueCodec | None:
        return self.inner.element()

    def describe(self) -> str:
        return f"{self.inner.describe()} | None"


class Anything(Codec):
    tags = ALL_TAGS

    def encode(self, value: Any) -> WireValue:
        if isinstance(value, dict):
            return {"M": {name: self.encode(one) for name, one in value.items()}}
        if isinstance(value, list):
            return {"L": [self.encode(one) for one in value]}
        if isinstance(value, (set, frozenset)):
            wires = [self.encode(one) for one in value]
            tags = {tag for wire in wires for tag in wire}
            if len(tags) != 1:
                raise ValidationError("is a mixed or empty set")
            tag = tags.pop()
            return {tag + "S": [wire[tag] for wire in wires]}
        if value is None:
            return {"NULL": True}
        for codec in (Bool(), Int(), Float(), Str(), Bytes()):
            if isinstance(value, codec.kinds):
                return codec.encode(value)
        raise ValidationError(f"has no DynamoDB type: {type(value).__name__}")

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        return name, self

    def element(self) -> ValueCodec | None:
        return self

    def describe(self) -> str:
        return "Any"


ADDRESS = Record(
    "Address",
    {
        "city": ("c", Str()),
        "zip_code": ("zip", Optional(Str())),
        "size": ("size", Int()),
        "type": ("type", Str()),
        "lines": ("lines", List(Str())),
    },
)

CODECS: dict[str, ValueCodec] = {
    "state": Str(),
    "iata": Str(lambda value: len(value) == 3),
    "name": Str(),
    "city": Optional(Str()),
    "visits": Int(lambda value: value >= 0),
    "rank": Optional(Int()),
    "latitude": Float(),
    "open": Bool(),
    "photo": Bytes(),
    "tags": SetOf(Str()),
    "years": SetOf(Int()),
    "scores": List(Int()),
    "notes": Optional(List(Optional(Str()))),
    "pair": Pair(Int()),
    "names": Dict(Str()),
    "address": ADDRESS,
    "extra": Anything(),
}
STORED = {"name": "n", "visits": "v"}
STORING_NONE = {"rank"}


class Base:
    """A class whose attributes another inherits."""


class Airport(Base):
    """Its attributes are paths, as the mapper makes them on a real class."""

    created: Any
    state: Any
    iata: Any
    name: Any
    city: Any
    visits: Any
    rank: Any
    latitude: Any
    open: Any
    photo: Any
    tags: Any
    years: Any
    scores: Any
    notes: Any
    pair: Any
    names: Any
    address: Any
    extra: Any


class Hotel:
    """Another class, with no relation to the first."""

    name: Any


Base.created = Path(Base, ("created",), "created", Int())
Hotel.name = Path(Hotel, ("name",), "name", Str())
PATHS: dict[str, Path[Any]] = {
    name: Path(Airport, (STORED.get(name, name),), name, codec, stores_none=name in STORING_NONE)
    for name, codec in CODECS.items()
}
for _name, _path in PATHS.items():
    setattr(Airport, _name, _path)
