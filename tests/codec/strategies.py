"""Hypothesis strategies of types and of values of these types, for everything an attribute may be."""

from __future__ import annotations

import dataclasses
import enum
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Context, Decimal
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import attrs
import msgspec
from hypothesis import strategies as st

from dynawire import Attr, EpochSeconds, Json, Model, NaiveDatetime, Stored, attr, partition_key

__all__ = ["Typed", "any_values", "classes", "junk", "types", "wires"]

Values = st.SearchStrategy[Any]
Typed = tuple[Any, Values]
"""A type and a strategy of its values."""

_numbers = itertools.count()


class Colour(enum.Enum):
    RED = "red"
    GREEN = "gré n"
    EMPTY = ""


class Level(enum.IntEnum):
    LOW = -1
    HIGH = 10**20


class Kind(enum.StrEnum):
    A = "a"
    B = "b"


class Mode(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Rights(enum.IntFlag):
    READ = 1
    WRITE = 2


class Fraction(NamedTuple):
    top: int
    bottom: int


class Card(msgspec.Struct, tag="card"):
    number: str


class Cash(msgspec.Struct, tag="cash"):
    amount: Decimal


@dataclasses.dataclass
class Circle:
    radius: float
    kind: Literal["circle"] = "circle"


@dataclasses.dataclass
class Square:
    side: int
    kind: Literal["square", "box"] = "square"


@dataclasses.dataclass
class Tree:
    value: int
    branches: list[Tree] = dataclasses.field(default_factory=list)
    left: Tree | None = None


texts = st.text(max_size=20)
digits = st.integers(-(10**38) + 1, 10**38 - 1)
integers = digits | st.builds(lambda number, zeros: number * 10**zeros, digits, st.integers(0, 87)) | st.integers(-3, 3)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: one == 0 or 1e-130 <= abs(one) < 1e126)
# What int | float takes of floats: whole ones come back as int, so those must be the int that repr shows.
mixed_floats = floats.filter(lambda one: not one.is_integer() or Decimal(repr(one)) == one)


def _decimal(sign: int, number: int, adjusted: int) -> Decimal:
    places = len(str(number)) - 1
    return Decimal(number if sign else -number).scaleb(adjusted - places, _EXACT)


_EXACT = Context(prec=60, Emin=-999, Emax=999)
decimals = st.builds(_decimal, st.booleans(), st.integers(0, 10**38 - 1), st.integers(-130, 125)) | st.sampled_from(
    [Decimal("-0"), Decimal("1.50"), Decimal("1E+3"), Decimal("0E-200"), Decimal("0.000")]
)


def _moment(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC).replace(tzinfo=None)


zones = st.just(UTC) | st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
naive = st.datetimes(_moment(1, 1, 3), _moment(9999, 12, 29))
aware = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), naive, zones)
times = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), st.times(), st.none() | zones)
flags = st.sampled_from([Mode.READ, Mode.WRITE | Mode.RUN, Mode(0), ~Mode.READ])

TEXT_SCALARS: list[Typed] = [
    (str, texts),
    (date, st.dates()),
    (datetime, aware),
    (Annotated[datetime, NaiveDatetime], naive),
    (time, times),
    (UUID, st.uuids()),
    (Kind, st.sampled_from(Kind)),
    (Colour, st.sampled_from(Colour)),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
    (Literal[Colour.RED, Colour.GREEN], st.sampled_from([Colour.RED, Colour.GREEN])),
    (Annotated[str, msgspec.Meta(max_length=5, pattern="^[ab]*$")], st.text("ab", max_size=5)),
]
NUMBER_SCALARS: list[Typed] = [
    (int, integers),
    (float, floats),
    (Decimal, decimals),
    (timedelta, st.timedeltas()),
    (Annotated[datetime, EpochSeconds], aware.map(lambda moment: moment.replace(microsecond=0))),
    (Level, st.sampled_from(Level)),
    (Mode, flags),
    (Rights, st.sampled_from([Rights.READ, Rights.READ | Rights.WRITE, Rights(0)])),
    (Literal[1, 2], st.sampled_from([1, 2])),
    (int | float, integers | mixed_floats),
    (int | Decimal, integers | decimals),
    (Annotated[float, msgspec.Meta(ge=0, multiple_of=0.25)], st.integers(0, 10**9).map(lambda number: number / 4)),
]
BINARY_SCALARS: list[Typed] = [(bytes, st.binary(max_size=30))]
OTHER_SCALARS: list[Typed] = [
    (bool, st.booleans()),
    (Annotated[complex, Stored(str, complex)], st.complex_numbers(allow_nan=False)),
    (
        Annotated[Fraction, Stored(list, lambda parts: Fraction(*parts), list[int])],
        st.builds(Fraction, integers, integers),
    ),
    (Card | Cash, st.builds(Card, texts) | st.builds(Cash, decimals)),
    (Circle | Square, st.builds(Circle, floats) | st.builds(Square, integers, st.sampled_from(["square", "box"]))),
    (Circle | str | None, st.builds(Circle, floats) | texts | st.none()),
    (
        Tree,
        st.recursive(
            st.builds(Tree, integers), lambda inner: st.builds(Tree, integers, st.lists(inner, max_size=2), inner)
        ),
    ),
    (int | str, integers | texts),
    (bool | int | bytes | None, st.booleans() | integers | st.binary() | st.none()),
    (Annotated[int | str | None, msgspec.Meta(min_length=1)], integers | st.text(min_size=1) | st.none()),
    (list[int] | str, st.lists(integers, max_size=3) | texts),
    (Annotated[datetime | None, EpochSeconds], st.none() | aware.map(lambda moment: moment.replace(microsecond=0))),
]

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
OTHER_SCALARS.append((Annotated[dict[str, Any], Json], st.dictionaries(texts, plain_json, max_size=3)))
OTHER_SCALARS.append((Annotated[Tree, Json], st.builds(Tree, st.integers(-9, 9))))

fractions = decimals.filter(lambda one: one != one.to_integral_value())
any_values: Values = st.recursive(
    st.none()
    | st.booleans()
    | integers
    | fractions
    | texts
    | st.binary()
    | st.sets(texts, min_size=1)
    | st.sets(st.binary(), min_size=1)
    | st.sets(integers | fractions, min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=9), inner, max_size=3),
    max_leaves=6,
)
OTHER_SCALARS.append((Any, any_values))

KEYS: list[Typed] = [
    (str, st.text(min_size=1, max_size=9)),
    *(typed for typed in TEXT_SCALARS[1:8] if typed[0] is not Colour),
    *NUMBER_SCALARS,
]

scalars = st.sampled_from([*TEXT_SCALARS, *NUMBER_SCALARS, *BINARY_SCALARS, *OTHER_SCALARS])
set_members = st.sampled_from([*TEXT_SCALARS, *NUMBER_SCALARS, *BINARY_SCALARS])


@st.composite
def types(draw: st.DrawFn, depth: int = 2) -> Typed:
    """A type an attribute may have, with a strategy of its values."""
    if depth == 0:
        return draw(scalars)
    inner = types(depth - 1)
    shape = draw(st.sampled_from(["scalar", "scalar", *_SHAPES]))
    return draw(scalars) if shape == "scalar" else draw(_SHAPES[shape](inner))


def _of(make: Callable[..., Typed]) -> Callable[[st.SearchStrategy[Typed]], st.SearchStrategy[Typed]]:
    return lambda inner: inner.map(lambda typed: make(*typed))


def _set(kind: type[Any]) -> Callable[[st.SearchStrategy[Typed]], st.SearchStrategy[Typed]]:
    frozen = {set: st.sets, frozenset: st.frozensets}[kind]
    return lambda _: set_members.map(lambda typed: (kind[typed[0]], frozen(typed[1], min_size=1, max_size=4)))


@st.composite
def _tuple(draw: st.DrawFn, inner: st.SearchStrategy[Typed]) -> Typed:
    parts = draw(st.lists(inner, max_size=3))
    return tuple.__class_getitem__(tuple(typed for typed, _ in parts)), st.tuples(*(values for _, values in parts))


@st.composite
def _dict(draw: st.DrawFn, inner: st.SearchStrategy[Typed]) -> Typed:
    (key, keys), (value, values) = draw(st.sampled_from(KEYS)), draw(inner)
    return dict[key, value], st.dictionaries(keys, values, max_size=3)


def _fields(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[dict[str, Typed]]:
    names = st.sampled_from(["a", "b", "name", "size", "élan", "type_", "f0", "o", "w", "v1"])
    return st.dictionaries(names, inner, min_size=1, max_size=3)


def _values(fields: dict[str, Typed]) -> dict[str, Values]:
    return {name: values for name, (_, values) in fields.items()}


def _name(kind: str) -> str:
    return f"{kind}{next(_numbers)}"


def _struct(fields: dict[str, Typed]) -> Typed:
    made = msgspec.defstruct(_name("Struct"), [(name, typed) for name, (typed, _) in fields.items()], rename="camel")
    return made, st.builds(made, **_values(fields))


def _dataclass(fields: dict[str, Typed]) -> Typed:
    last = list(fields)[-1]
    parts = [(name, typed, dataclasses.field(init=name != last)) for name, (typed, _) in fields.items()]
    made = dataclasses.make_dataclass(_name("Data"), parts, frozen=True, slots=len(fields) % 2 == 0)

    def build(**values: Any) -> Any:
        instance = made(**{name: value for name, value in values.items() if name != last})
        object.__setattr__(instance, last, values[last])
        return instance

    return made, st.builds(build, **_values(fields))


def _attrs(fields: dict[str, Typed]) -> Typed:
    parts = {f"_{name}": attrs.field(type=typed) for name, (typed, _) in fields.items()}
    made = attrs.make_class(_name("Attrs"), parts, slots=len(fields) % 2 == 0)
    aliases = {name: one.alias for name, one in zip(fields, made.__attrs_attrs__, strict=True)}
    return made, st.builds(made, **{aliases[name]: values for name, values in _values(fields).items()})


def _typed_dict(fields: dict[str, Typed]) -> Typed:
    last = list(fields)[-1]
    members = {name: NotRequired[typed] if name == last else typed for name, (typed, _) in fields.items()}
    made = TypedDict(_name("Dict"), members)
    values = _values(fields)
    optional = {last: values.pop(last)}
    return made, st.fixed_dictionaries(values, optional=optional)


def _named_tuple(fields: dict[str, Typed]) -> Typed:
    made = NamedTuple(_name("Tuple"), [(name, typed) for name, (typed, _) in fields.items()])
    return made, st.builds(made, **_values(fields))


def _model(fields: dict[str, Typed]) -> Typed:
    made = model(fields)
    return made, st.builds(made, **_values(fields))


def model(fields: dict[str, Typed], **keywords: Any) -> Any:
    """A Model with these attributes."""
    annotations = {name: Attr[typed] for name, (typed, _) in fields.items()}
    body: dict[str, Any] = {"__module__": __name__, "__annotations__": annotations}
    if keywords:
        body["__annotations__"] = {"id": Attr[str], **annotations}
        body["id"] = partition_key()
    for position, name in enumerate(fields):
        if position % 2:
            body[name] = attr(name=f"stored {name}")
    return type(Model)(_name("Model"), (Model,), body, **keywords)


_SHAPES: dict[str, Callable[[st.SearchStrategy[Typed]], st.SearchStrategy[Typed]]] = {
    "optional": _of(lambda typed, values: (typed | None, values | st.none())),
    "list": _of(lambda typed, values: (list[typed], st.lists(values, max_size=3))),
    "tuple": _of(lambda typed, values: (tuple[typed, ...], st.lists(values, max_size=3).map(tuple))),
    "row": _tuple,
    "dict": _dict,
    "set": _set(set),
    "frozenset": _set(frozenset),
    "struct": lambda inner: _fields(inner).map(_struct),
    "dataclass": lambda inner: _fields(inner).map(_dataclass),
    "attrs": lambda inner: _fields(inner).map(_attrs),
    "typed dict": lambda inner: _fields(inner).map(_typed_dict),
    "named tuple": lambda inner: _fields(inner).map(_named_tuple),
    "model": lambda inner: _fields(inner.filter(lambda typed: True)).map(_model),
}


@st.composite
def classes(draw: st.DrawFn, table: str = "things") -> tuple[Any, Any]:
    """A class with a table and random attributes, and an instance of it."""
    names = st.sampled_from(["name", "size", "year", "élan", "type_", "f0", "o", "w", "v1", "items"])
    fields = draw(st.dictionaries(names, types(), min_size=1, max_size=5))
    made = model(fields, table=table)
    return made, draw(st.builds(made, id=st.text(min_size=1, max_size=20), **_values(fields)))


junk: Values = (
    any_values
    | st.floats()
    | decimals
    | aware
    | naive
    | times
    | st.uuids()
    | st.sampled_from(
        [Colour.RED, Level.LOW, Kind.A, Mode.READ, object(), int, ..., 10**200, "\ud800", b"", set(), 1e300]
    )
    | st.builds(Card, texts)
    | st.builds(Circle, st.text())
    | st.lists(texts, max_size=2).map(tuple)
)


@st.composite
def _wire(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    inner = _wire(depth - 1) if depth else st.just({"NULL": True})
    numbers = (integers | fractions).map(str)
    return draw(
        st.fixed_dictionaries({"S": texts})
        | st.fixed_dictionaries({"N": numbers})
        | st.fixed_dictionaries({"B": st.sampled_from(["", "AAA=", "aGVsbG8="])})
        | st.fixed_dictionaries({"BOOL": st.booleans()})
        | st.just({"NULL": True})
        | st.fixed_dictionaries({"SS": st.lists(texts, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"NS": st.lists(numbers, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"BS": st.just(["AAA="])})
        | st.fixed_dictionaries({"L": st.lists(inner, max_size=2)})
        | st.fixed_dictionaries({"M": st.dictionaries(st.sampled_from(["a", "b", "name", "kind", "type"]), inner)})
    )


wires = _wire()
